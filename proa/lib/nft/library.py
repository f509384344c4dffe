"""Small changes to nftables, through libnftables in this process: 0.2 to 3 ms each, where starting `nft` costs 8 ms and more.

A batch is one transaction: all of it or nothing. The library's socket belongs to the network namespace of the thread that opens the
context, so open it inside the namespace that it shall change. Whole loads go through `proa.lib.nft.load`: they would leave this process
with hundreds of megabytes.
"""

import ctypes
import os
import threading
from functools import cache
from types import TracebackType

from proa.lib.nft.errors import NftError, describe

_SONAME = "libnftables.so.1"


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_SONAME)
    except OSError as error:
        raise NftError(f"cannot load {_SONAME} (install the package libnftables1): {error}") from error
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_run_cmd_from_filename.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).restype = ctypes.c_char_p
    for name in (
        "nft_ctx_free", "nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer",
    ):  # fmt: skip
        getattr(library, name).argtypes = [ctypes.c_void_p]
    return library


class Nftables:
    """One libnftables context. Calls from several threads take turns, as a context is not thread-safe."""

    def __init__(self) -> None:
        self._library = _library()
        self._lock = threading.Lock()
        self._context: int | None = self._library.nft_ctx_new(0)
        if not self._context:
            raise NftError("libnftables gave no context")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str) -> str:
        """Run the batch and return what it printed; raises NftError, after which nothing of it was applied."""
        with self._lock:
            if self._context is None:
                raise NftError("the nftables context is closed")
            failed = self._run(commands.encode())
            output: bytes = self._library.nft_ctx_get_output_buffer(self._context)
            errors: bytes = self._library.nft_ctx_get_error_buffer(self._context)
        if failed:
            raise describe(errors.decode(errors="replace"), commands)
        return output.decode(errors="replace")

    def _run(self, commands: bytes) -> int:
        """From a file in memory: of commands in a plain buffer libnftables does not say which line failed."""
        with os.fdopen(os.memfd_create("nft"), "wb") as file:
            file.write(commands)
            file.flush()
            failed: int = self._library.nft_run_cmd_from_filename(self._context, f"/proc/self/fd/{file.fileno()}".encode())
        return failed

    def close(self) -> None:
        with self._lock:
            if self._context is not None:
                self._library.nft_ctx_free(self._context)
            self._context = None

    def __enter__(self) -> "Nftables":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
