"""Files of players: taken in, checked against their bytes, pictures made anew, and given out through signed links."""

from gamebuddy.files.checking import FILE_TYPES, PICTURE_TYPES, Unsupported, clean_name, matches_name
from gamebuddy.files.keeping import AVATAR_SIZES, AVATAR_TYPE, FILE, THUMBNAIL, Facts, Files, Link
from gamebuddy.files.serving import PATH, Transfers

__all__ = [
    "AVATAR_SIZES",
    "AVATAR_TYPE",
    "FILE",
    "FILE_TYPES",
    "PATH",
    "PICTURE_TYPES",
    "THUMBNAIL",
    "Facts",
    "Files",
    "Link",
    "Transfers",
    "Unsupported",
    "clean_name",
    "matches_name",
]
