import io
import random
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from gamebuddy.files import pictures
from gamebuddy.files.checking import FILE_TYPES, Unsupported, check_bytes, clean_name, matches_name
from tests.files.operations import picture

TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("image_format", TYPES)
def test_a_picture_keeps_format_and_size(image_format: str) -> None:
    made = pictures.remake(picture(image_format, (400, 300)), TYPES[image_format])
    image = opened(made.data)
    assert (image.format, image.size) == (image_format, (400, 300))
    assert (made.width, made.height) == (400, 300)
    small = opened(made.thumbnail)
    assert (small.format, small.size) == ("WEBP", (320, 240))


def test_what_a_camera_wrote_is_gone_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right
    exif[0x010F] = "a telephone of somebody"
    exif.get_ifd(0x8825)[2] = (55.0, 45.0, 0.0)  # where it was taken
    made = pictures.remake(picture("JPEG", (400, 300), exif=exif, quality=95), "image/jpeg")
    image = opened(made.data)
    assert image.size == (300, 400)
    assert not image.getexif()
    assert b"telephone" not in made.data
    red, _, blue = image.getpixel((150, 20))  # type: ignore[misc]
    assert red > 200 > blue  # what was left is above


def test_large_ones_become_smaller() -> None:
    made = pictures.remake(picture("JPEG", (6_000, 3_000)), "image/jpeg")
    assert (made.width, made.height) == (4_096, 2_048)


def test_colours_of_a_profile_become_srgb() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for bytes_of_profile in (profile, b"no profile"):
        made = pictures.remake(picture(icc_profile=bytes_of_profile), "image/png")
        assert "icc_profile" not in opened(made.data).info


def test_transparency_stays() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(out, "PNG")
    assert opened(pictures.remake(out.getvalue(), "image/png").data).getpixel((5, 5)) == (255, 0, 0, 0)


@pytest.mark.parametrize(("image_format", "media_type"), [("PNG", "image/png"), ("WEBP", "image/webp")])
def test_of_many_frames_the_first_one_stays(image_format: str, media_type: str) -> None:
    frames = [Image.new("RGB", (20, 20), (0, 0, number)) for number in range(200)]
    out = io.BytesIO()
    frames[0].save(out, image_format, save_all=True, append_images=frames[1:], lossless=True)
    image = opened(pictures.remake(out.getvalue(), media_type).data)
    assert getattr(image, "n_frames", 1) == 1


def bomb(side: int) -> bytes:
    """Make a small PNG that says it is large, and is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" * (side // 8 + 2)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * side, 9)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [13_000, 20_000])
def test_a_bomb_is_refused_by_its_header(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bomb(side)
    assert len(data) < 60_000
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(Unsupported):
        pictures.remake(data, "image/png")


NO_PICTURES = {
    "nothing": b"",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "pdf": b"%PDF-1.7\n",
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "tiff": picture("TIFF"),
    "a head alone": picture()[:40],
}


@pytest.mark.parametrize("media_type", TYPES.values())
@pytest.mark.parametrize("data", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_refused(data: bytes, media_type: str) -> None:
    with pytest.raises(Unsupported):
        pictures.remake(data, media_type)
    with pytest.raises(Unsupported):
        pictures.remake_square(data, media_type, (64,))


def test_a_picture_of_another_type_is_refused() -> None:
    for image_format in TYPES:
        for other, media_type in TYPES.items():
            if other != image_format:
                with pytest.raises(Unsupported):
                    pictures.remake(picture(image_format), media_type)


def test_what_hides_behind_a_picture_does_not_come_along() -> None:
    made = pictures.remake(picture() + b"<script>alert(1)</script>PK\x03\x04", "image/png")
    assert b"script" not in made.data


@pytest.mark.parametrize("image_format", TYPES)
def test_broken_bytes_are_refused_or_remade_and_raise_nothing_else(image_format: str) -> None:
    dice = random.Random(7)  # noqa: S311 - the same files every time
    whole = picture(image_format, (64, 48))
    for _ in range(334):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        try:
            opened(pictures.remake(bytes(data), TYPES[image_format]).data)
        except Unsupported:
            continue


def test_squares_are_cut_from_the_middle() -> None:
    squares = pictures.remake_square(picture(size=(400, 100)), "image/png", (64, 256))
    assert {side: opened(data).size for side, data in squares.items()} == {64: (64, 64), 256: (256, 256)}


GOOD = {
    "text/plain": "привет".encode(),
    "application/json": b'{"sensitivity": 1.5}',
    "application/zip": b"PK\x03\x04rest",
    "audio/mpeg": b"ID3rest",
    "audio/ogg": b"OggSrest",
    "video/mp4": b"\0\0\0\x18ftypisom",
}


@pytest.mark.parametrize("media_type", FILE_TYPES)
def test_files_are_known_by_their_bytes(media_type: str) -> None:
    check_bytes(media_type, GOOD[media_type])
    for bad in (b"\xff\xfe\0", b"MZ\x90\0", b"\x7fELF\0"):
        with pytest.raises(Unsupported):
            check_bytes(media_type, bad)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.png", "a.png"),
        ("", "file"),
        ("...", "file"),
        ("/", "file"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("line\nbreak.txt", "linebreak.txt"),
        ("снимок экрана.png", "снимок экрана.png"),
        ("x" * 4_096 + ".png", "x" * 96 + ".png"),
        ("x" * 4_096, "x" * 100),
        ("x." + "y" * 4_096, "x." + "y" * 49 + ""),
    ],
)
def test_names_become_harmless(name: str, kept: str) -> None:
    cleaned = clean_name(name)
    assert len(cleaned) <= 100
    if not name.startswith("x."):
        assert cleaned == kept


def test_a_name_has_to_fit_its_type() -> None:
    assert matches_name("image/jpeg", "a.JPEG")
    assert matches_name("image/png", "no ending")
    assert not matches_name("image/png", "a.exe")
    assert not matches_name("application/zip", "a.tar.gz")
