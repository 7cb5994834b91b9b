"""Published weights that can be downloaded and converted.

EISeg published no checksums: the sha256 of the first download is recorded, and every later download
must match it (trust on first use).
"""

from __future__ import annotations

from dataclasses import dataclass

_RITM = "https://bj.bcebos.com/paddleseg/dygraph/interactive_segmentation/ritm/"
_EISEG_04 = "https://paddleseg.bj.bcebos.com/eiseg/0.4/"
_EISEG_05 = "https://paddleseg.bj.bcebos.com/eiseg/0.5/"


@dataclass(frozen=True)
class Published:
    """A published weights file.

    Attributes:
        name: Model name after the conversion.
        url: URL at its publisher.
        network: Architecture, free text.
        use: What the weights are good for, free text.
    """

    name: str
    url: str
    network: str
    use: str


_HRNET18 = "RITM on HRNet18, OCR 64"
_HRNET18S = "RITM on HRNet18s, OCR 48"

PUBLISHED = {
    entry.name: entry
    for entry in (
        Published(
            "edgeflow_cocolvis",
            f"{_EISEG_04}static_edgeflow_cocolvis.zip",
            "EdgeFlow on HRNet18, OCR 64",
            "generic, high precision",
        ),
        Published(
            "hrnet18_ocr64_cocolvis",
            f"{_RITM}hrnet18_ocr64_cocolvis.pdparams",
            _HRNET18,
            "generic, high precision",
        ),
        Published(
            "hrnet18s_ocr48_cocolvis",
            f"{_RITM}hrnet18s_ocr48_cocolvis.pdparams",
            _HRNET18S,
            "generic, lightweight",
        ),
        Published(
            "hrnet18_ocr64_human",
            f"{_RITM}hrnet18_ocr64_human.pdparams",
            _HRNET18,
            "portraits, high precision",
        ),
        Published(
            "hrnet18s_ocr48_human",
            f"{_RITM}hrnet18s_ocr48_human.pdparams",
            _HRNET18S,
            "portraits, lightweight",
        ),
        Published(
            "hrnet18_ocr48_rsbuilding",
            f"{_EISEG_04}static_hrnet18_ocr48_rsbuilding_instance.zip",
            _HRNET18S,
            "buildings in aerial images",
        ),
        Published(
            "hrnet18s_ocr48_lits",
            f"{_EISEG_04}static_hrnet18s_ocr48_lits.zip",
            _HRNET18S,
            "medical: liver in CT slices",
        ),
        Published(
            "hrnet18s_ocr48_mrspineseg",
            f"{_EISEG_05}static_hrnet18s_ocr48_MRSpineSeg.zip",
            _HRNET18S,
            "medical: vertebrae in MRI slices",
        ),
        Published(
            "hrnet18s_ocr48_aluminium",
            f"{_EISEG_05}static_hrnet18s_ocr48_aluminium.zip",
            _HRNET18S,
            "industry: defects of aluminium plates",
        ),
    )
}
