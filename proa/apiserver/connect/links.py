"""Keeps the links of a proxied page within the proxy: redirects and, in HTML, the attributes that hold URLs."""

import html
import posixpath
import re
from urllib.parse import urlsplit, urlunsplit

_ATTRIBUTES = {
    "a": ("href",), "applet": ("codebase",), "area": ("href",), "audio": ("src",), "base": ("href",), "blockquote": ("cite",),
    "body": ("background",), "button": ("formaction",), "command": ("icon",), "del": ("cite",), "embed": ("src",), "form": ("action",),
    "frame": ("longdesc", "src"), "head": ("profile",), "html": ("manifest",), "iframe": ("longdesc", "src"),
    "img": ("longdesc", "src", "usemap"), "input": ("src", "usemap", "formaction"), "ins": ("cite",), "link": ("href",),
    "object": ("classid", "codebase", "data", "usemap"), "q": ("cite",), "script": ("src",), "source": ("src",),
    "video": ("poster", "src"),
}  # fmt: skip
_TAG = re.compile(r"<!--.*?-->|<([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s=>\"'/]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)", re.DOTALL)
_ATTRIBUTE = re.compile(r"(\s)([^\s=>\"'/]+)(\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s>\"']+)")


def rewrite_url(url: str, prefix: str, backend: str, front: str) -> str:
    """`prefix` is the proxy's path; only absolute paths on `backend` or `front` (the host the client asked, which stays in the URL), or on
    no host, move below it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if (parts.netloc and parts.netloc not in (backend, front)) or not parts.path.startswith("/"):
        return url
    path = parts.path
    if not path.startswith(prefix):
        joined = posixpath.normpath(prefix + path)
        path = f"{joined}/" if path.endswith("/") else joined
    scheme, host = (parts.scheme, parts.netloc) if parts.netloc == front else ("", "")
    return urlunsplit((scheme, host, path, parts.query, parts.fragment))


def rewrite_html(page: str, prefix: str, backend: str, front: str) -> str:
    def tag(match: re.Match[str]) -> str:
        names = _ATTRIBUTES.get((match[1] or "").lower())
        if names is None:
            return match[0]

        def attribute(found: re.Match[str]) -> str:
            if found[2].lower() not in names:
                return found[0]
            value = html.unescape(found[4].strip("\"'"))
            moved = rewrite_url(value, prefix, backend, front)
            return found[0] if moved == value else f'{found[1]}{found[2]}{found[3]}"{html.escape(moved)}"'

        return f"<{match[1]}{_ATTRIBUTE.sub(attribute, match[2])}"

    return _TAG.sub(tag, page)
