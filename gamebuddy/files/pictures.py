"""Pictures: their size is read before they are decoded, and what is kept is made anew from the pixels alone."""

import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from gamebuddy.files.checking import Unsupported

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
MOST_PIXELS = 50_000_000  # what the largest cameras of telephones make
LONGEST_SIDE = 4_096  # of what is kept
THUMBNAIL_SIDE = 320
SMALL_FORMAT, SMALL_TYPE = "WEBP", "image/webp"  # of thumbnails and avatars

Image.MAX_IMAGE_PIXELS = None  # MOST_PIXELS decides, before anything is decoded


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept: sides in pixels, the file in the format it came in, and a small one of it."""

    data: bytes
    width: int
    height: int
    thumbnail: bytes


def remake(data: bytes, media_type: str) -> Picture:
    """Make a picture anew: upright, its first frame, in sRGB, without anything that was written beside the pixels.

    Raises:
        Unsupported: when it is no picture of this type, or one of more than 50 million pixels.
    """
    with _opened(data, media_type, draft=LONGEST_SIDE) as image:
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        kept = _written(image, FORMATS[media_type])
        width, height = image.size
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
        return Picture(kept, width, height, _written(image, SMALL_FORMAT))


def remake_square(data: bytes, media_type: str, sides: Collection[int]) -> dict[int, bytes]:
    """Cut the middle out of a picture and give it in these sides, each as WebP.

    Raises:
        Unsupported: as `remake`.
    """
    with _opened(data, media_type, draft=2 * max(sides)) as image:
        return {
            side: _written(ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS), SMALL_FORMAT) for side in sides
        }


@contextmanager
def _opened(data: bytes, media_type: str, *, draft: int) -> Iterator[Image.Image]:
    try:
        with Image.open(io.BytesIO(data), formats=[FORMATS[media_type]]) as image:
            _require_size(image)
            image.draft("RGB", (draft, draft))  # a JPEG is decoded no larger than needed
            yield _plain(image)
    except Unsupported:
        raise
    except Exception as error:  # decoders raise whatever broken bytes lead them to
        raise Unsupported from error


def _require_size(image: Image.Image) -> None:
    width, height = image.size  # as the header says
    if width * height > MOST_PIXELS:
        raise Unsupported


def _plain(image: Image.Image) -> Image.Image:
    """Give the pixels upright, in sRGB, with transparency where there is any."""
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    if profile and upright.mode in {"RGB", "RGBA"}:  # the colours of a telephone's wide screen, among others
        upright = _in_srgb(upright, profile)
    plain = upright.convert(mode)
    plain.info.clear()
    return plain


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return image  # a profile that cannot be read says nothing
    return converted or image


def _written(image: Image.Image, image_format: str) -> bytes:
    out = io.BytesIO()
    image.save(out, image_format, quality=85)
    return out.getvalue()
