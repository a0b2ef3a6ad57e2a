"""Whether a JPEG is whole: libjpeg fills what is missing with grey, and only warns.

Programs that repair or forward a file that was cut off put an end marker behind it. The decoder of
FFmpeg runs out of bits there and says so; it decodes as fast as libjpeg.
"""

from collections.abc import Iterator

START, END = b"\xff\xd8\xff", b"\xff\xd9"
FRAMES = (0xC0, 0xC1, 0xC2)
"""Markers of frames that are Huffman-coded, which FFmpeg decodes: baseline and progressive."""
PROGRESSIVE, SCAN = 0xC2, 0xDA
COEFFICIENTS = 64


def check_whole(data: bytes) -> None:
    """Refuse a JPEG that was cut off, with an end marker behind it or not; others pass.

    Raises:
        ValueError: saying what is missing.
    """
    if not data.startswith(START):
        return
    if data.rfind(END) < len(data) // 2:
        raise ValueError("JPEG without its end marker")
    segments = list(_segments(data))
    frame = next(((marker, body) for marker, body in segments if marker in FRAMES), None)
    if frame is None or frame[1][0] != 8:
        return
    if frame[0] == PROGRESSIVE and _lacks_scans(segments, frame[1]):
        raise ValueError("JPEG of which scans are missing: it was cut off")
    import av  # a third of the time that loading frames takes, and few steps meet a JPEG

    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode"}
    decoder.thread_count = 1
    try:
        decoder.decode(av.Packet(data))  # type: ignore[attr-defined]
    except av.error.InvalidDataError:
        raise ValueError("JPEG whose data end before its last row: it was cut off") from None
    except av.error.FFmpegError:  # a kind that FFmpeg does not decode says nothing on it
        return


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and body of every segment of the first picture."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == END[1]:
            return
        if marker == 0xFF:
            at += 1
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, data[at + 4 : at + 2 + size]
        at += 2 + size
        if marker == SCAN:
            at = _after_scan(data, at)


def _after_scan(data: bytes, at: int) -> int:
    """Return where the entropy-coded data from ``at`` on end: at a marker that is no restart."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2
    return len(data)


def _lacks_scans(segments: list[tuple[int, bytes]], frame: bytes) -> bool:
    """Whether the scans of a progressive JPEG leave a coefficient without its last bit."""
    missing = {frame[6 + 3 * k]: set(range(COEFFICIENTS)) for k in range(frame[5])}
    for marker, body in segments:
        if marker != SCAN:
            continue
        count = body[0]
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        for k in range(count):
            if bits & 15 == 0 and body[1 + 2 * k] in missing:
                missing[body[1 + 2 * k]] -= set(range(first, last + 1))
    return any(missing.values())
