"""The one error of the image floor: a sentence for people, without a stack of causes."""

from __future__ import annotations


class ImageError(Exception):
    """An image, payload or tool is not as it must be; the text is one sentence that says where and which rule."""
