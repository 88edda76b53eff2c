"""Colours of charts: light fills that print well, dark outlines and text on them (contrast of text above 7:1)."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.report.charts.model import Tone

INK = "#1f2328"
"""Text, also beside arrows."""
ARROW = "#57606a"
FRAME = "#8c959f"
FRAME_FILL = "#f8f9fb"
FONT = "Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours of one box."""

    fill: str
    outline: str
    text: str = INK


PAINTS: dict[Tone, Paint] = {
    Tone.PLAIN: Paint("#ffffff", "#57606a"),
    Tone.QUIET: Paint("#f3f4f6", "#8c959f", "#424a53"),
    Tone.START: Paint("#d5f5dc", "#1a7f37"),
    Tone.END: Paint("#e1e4e8", "#24292f"),
    Tone.SPEECH: Paint("#eef4ff", "#4a6fa5"),
    Tone.CHOICE: Paint("#fff1c9", "#8a6100"),
    Tone.DECISION: Paint("#ffe6d2", "#a8480a"),
    Tone.DATA: Paint("#efe7fb", "#6639a6"),
    Tone.TRANSFER: Paint("#cfeef0", "#0b6b75"),
    Tone.MODULE: Paint("#fbe4ef", "#a2286a"),
    Tone.PHONE: Paint("#d5f5dc", "#1a7f37"),
    Tone.HOURS: Paint("#fff1c9", "#8a6100"),
    Tone.CREATE: Paint("#bdf0c8", "#116329"),
    Tone.UPDATE: Paint("#ffe08a", "#7d4e00"),
    Tone.REPUBLISH: Paint("#bfdcff", "#0a4fa3"),
    Tone.ADOPT: Paint("#e6dcf8", "#5a32a3"),
    Tone.DELETE: Paint("#ffc9c4", "#a40e26"),
    Tone.REACHED: Paint("#ffffff", "#bc4c00"),
}
