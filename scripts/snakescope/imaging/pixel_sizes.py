"""Pixel sizes that image files state of themselves: OME, ImageJ, and TIFF resolution."""

import re
from pathlib import Path

import tifffile

_OME = re.compile(r'PhysicalSizeX="([^"]+)"')
_OME_UNIT = re.compile(r'PhysicalSizeXUnit="([^"]+)"')
UNITS_UM = {
    "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0, "microns": 1.0, "\\u00b5m": 1.0,
    "nm": 1e-3, "mm": 1e3, "cm": 1e4, "inch": 25_400.0,
}  # fmt: skip


def stated_pixel_size_um(path: str | Path) -> float | None:
    """Return the pixel size (um) that a TIFF states in micrometres, millimetres or inches.

    Dots per inch of a printer (72 to 600) are no pixel size; PNG and JPEG state none.
    """
    if Path(path).suffix.lower() not in (".tif", ".tiff"):
        return None
    try:
        with tifffile.TiffFile(path) as file:
            if file.ome_metadata and (size := _OME.search(file.ome_metadata)):
                unit = _OME_UNIT.search(file.ome_metadata)
                return float(size[1]) * UNITS_UM[unit[1] if unit else "um"]
            tag = file.pages.first.tags.get("XResolution")
            across, per = tag.value if tag is not None else (0, 1)
            if not across or not per:
                return None
            if file.imagej_metadata:
                unit_name = str(file.imagej_metadata.get("unit", "")).lower()
                return UNITS_UM[unit_name] * per / across if unit_name in UNITS_UM else None
            kind = file.pages.first.tags.get("ResolutionUnit")
            unit_um = {2: 25_400.0, 3: 1e4}.get(int(kind.value) if kind is not None else 2)
            size_um = unit_um * per / across if unit_um else None
    except Exception:  # a damaged file states nothing, and is refused where it is read
        return None
    return size_um if size_um is not None and size_um < 40.0 else None
