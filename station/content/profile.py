"""What a drive is to become: bundles in order of priority, erase, read-back and volume options.

A profile is a TOML file that people write. Every error names its line and key.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from station.content.toml_lines import key_lines, line_of
from station.content.violation import Violation, and_more, dotted, none_of, shown, violations
from station.errors import OperatorError
from station.image.geometry import Layout
from station.image.names import folded, name_problem
from station.units import KIB, format_size, parse_size

# A profile has a dozen lines. Deep nesting and long dotted keys cost tomllib quadratic time.
LARGEST_PROFILE_BYTES = 64 * KIB
# Microsoft FAT specification 1.03: the label is one short name without its dot.
LABEL_BYTES = 11
_LABEL_FORBIDS = frozenset('"*+,./:;<=>?[\\]|')
_TOML_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_TO_DO = "Correct the profile."


@unique
class ErasePolicy(StrEnum):
    """What happens to the donor's data."""

    OVERWRITE = "overwrite"  # every sector is written once, with the image
    TWO_PASS = "two-pass"  # noqa: S105 - no password: a pattern, its complement, then the image
    QUICK = "quick"  # content and metadata only: not erased


@unique
class ReadBack(StrEnum):
    """How much of the erased part is read back; content and metadata always are."""

    FULL = "full"
    SAMPLE = "sample"


def _member_of(choices: type[StrEnum]) -> BeforeValidator:
    def validate(value: object) -> StrEnum:
        for choice in choices:
            if value == choice.value:
                return choice
        raise ValueError(none_of(value, choices))

    return BeforeValidator(validate)


def _size_bytes(value: object) -> int:
    if isinstance(value, str):
        try:
            return parse_size(value)
        except OperatorError as error:
            raise ValueError(str(error).removesuffix(".")) from None
    if type(value) is int and value >= 0:
        return value
    raise ValueError(f'{shown(value)} is no size; write it like "8GB" or "512MiB"')


Size = Annotated[int, BeforeValidator(_size_bytes)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class VolumeOptions(_Section):
    """The volume on the drive.

    Attributes:
        label: FAT volume label, upper case, at most 11 bytes; empty for none.
        layout: what stands in sector 0.
    """

    label: str = ""
    layout: Annotated[Layout, _member_of(Layout)] = Layout.MBR

    @field_validator("label")
    @classmethod
    def _holds_on_fat(cls, label: str) -> str:
        if problem := _label_problem(label):
            raise ValueError(problem)
        return label


class EraseOptions(_Section):
    """What happens to the donor's data.

    Attributes:
        policy: how it is overwritten.
        read_back: how much of the erased part is read back.
    """

    policy: Annotated[ErasePolicy, _member_of(ErasePolicy)] = ErasePolicy.OVERWRITE
    read_back: Annotated[ReadBack, _member_of(ReadBack)] = ReadBack.FULL


class DriveLimits(_Section):
    """Which drives the profile is for.

    Attributes:
        min_capacity_bytes: a smaller drive is refused; None for no limit.
        max_capacity_bytes: a larger drive is refused; None for no limit.
        probe: whether a counterfeit is looked for before anything else.
    """

    min_capacity_bytes: Size | None = Field(None, alias="min_capacity")
    max_capacity_bytes: Size | None = Field(None, alias="max_capacity")
    probe: bool = True

    @field_validator("max_capacity_bytes")
    @classmethod
    def _leaves_a_range(cls, largest: int | None, info: ValidationInfo) -> int | None:
        smallest = info.data.get("min_capacity_bytes")
        if smallest is not None and largest is not None and largest < smallest:
            raise ValueError(
                f"{format_size(largest)} is below min_capacity, {format_size(smallest)}"
            )
        return largest


class BundleChoice(_Section):
    """One bundle of a profile.

    Attributes:
        manifest: name of its manifest in `content_manifests/`, without `.json`.
        required: whether a drive that has no room for it is refused.
        target: folder on the drive, `/`-separated; empty for the root.
    """

    manifest: str
    required: bool = True
    target: str = ""

    @field_validator("manifest")
    @classmethod
    def _is_a_name(cls, manifest: str) -> str:
        if problem := name_problem(manifest):
            raise ValueError(f"{shown(manifest)} is no manifest's name: it {problem}")
        return manifest

    @field_validator("target")
    @classmethod
    def _is_a_folder(cls, target: str) -> str:
        for name in target.split("/") if target else ():
            if problem := name_problem(name):
                raise ValueError(
                    f"{shown(target)} is no folder on a drive: {shown(name)} {problem}"
                )
        # Typed on a Mac, a name can be decomposed; on the drive all names are composed.
        return unicodedata.normalize("NFC", target)


class _Document(_Section):
    """A profile as it is written."""

    title: str = ""
    volume: VolumeOptions = VolumeOptions()
    erase: EraseOptions = EraseOptions()
    drive: DriveLimits = DriveLimits()
    bundle: Annotated[tuple[BundleChoice, ...], Field(strict=False)]

    @field_validator("bundle")
    @classmethod
    def _has_bundles(cls, bundle: tuple[BundleChoice, ...]) -> tuple[BundleChoice, ...]:
        if not bundle:
            raise ValueError("lists no bundle")
        return bundle


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile.

    Attributes:
        name: the file's name without `.toml`.
        title: for people; the name when the file has none.
        volume: label and layout.
        erase: policy and read-back.
        drive: which drives it is for.
        bundles: in order of priority, at least one, no manifest twice.
    """

    name: str
    title: str
    volume: VolumeOptions
    erase: EraseOptions
    drive: DriveLimits
    bundles: tuple[BundleChoice, ...]


def _keys(section: type[_Section]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in section.model_fields.items())


_KNOWN_KEYS = {
    (): _keys(_Document),
    ("volume",): _keys(VolumeOptions),
    ("erase",): _keys(EraseOptions),
    ("drive",): _keys(DriveLimits),
    ("bundle",): _keys(BundleChoice),
}


def load_profile(path: Path) -> Profile:
    """Read a profile file; its name without the ending becomes the profile's.

    Raises:
        OperatorError: when it can't be read or breaks a rule; names the line and the key.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_PROFILE_BYTES + 1)
    except OSError as error:
        raise OperatorError(
            f"{path}: can't be read: {error.strerror}", "Name a profile that you may read."
        ) from None
    if len(data) > LARGEST_PROFILE_BYTES:
        raise OperatorError(f"{path}: is larger than 64 KiB, too large a profile", _TO_DO)
    return parse_profile(data, path.stem, str(path))


def parse_profile(data: bytes, name: str, where: str) -> Profile:
    """Read the content of a profile file.

    Args:
        data: the file's bytes.
        name: what the profile is called.
        where: the file's name, for messages.

    Raises:
        OperatorError: when it breaks a rule; names the line and the key.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise OperatorError(f"{where}:{line}: is no UTF-8 text", _TO_DO) from None
    document = _parse_toml(text, where)
    try:
        written = _Document.model_validate(document)
    except ValidationError as error:
        raise _refusal(text, where, violations(error, _KNOWN_KEYS)) from None
    if repeated := list(_repeated_manifests(written.bundle)):
        raise _refusal(text, where, repeated)
    return Profile(
        name=name,
        title=written.title or name,
        volume=written.volume,
        erase=written.erase,
        drive=written.drive,
        bundles=written.bundle,
    )


def _parse_toml(text: str, where: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise OperatorError(f"{where}: is nested too deeply", _TO_DO) from None
    except ValueError as error:
        # The place is only in the message; a number of thousands of digits comes without one.
        problem = str(error)
        place = _TOML_PLACE.search(problem)
        if place is None:
            raise OperatorError(f"{where}: is no TOML: {problem}", _TO_DO) from None
        line = place["line"] or text.count("\n") + 1
        problem = problem[: place.start()]
        raise OperatorError(f"{where}:{line}: is no TOML: {problem}", _TO_DO) from None


def _refusal(text: str, where: str, found: list[Violation]) -> OperatorError:
    """The first violation in the order of the text, with its line, as an error."""
    lines = key_lines(text)
    first = min(found, key=lambda violation: line_of(lines, violation.location))
    line = line_of(lines, first.location)
    more = and_more(len(found) - 1)
    key = f"{dotted(first.location)}: " if first.location else ""
    return OperatorError(f"{where}:{line}: {key}{first.problem}{more}", _TO_DO)


def _repeated_manifests(bundles: tuple[BundleChoice, ...]) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, bundle in enumerate(bundles):
        key = folded(bundle.manifest)
        if key in seen:
            yield Violation(
                ("bundle", index, "manifest"), f"{shown(bundle.manifest)} is named a second time"
            )
        seen.add(key)


def _label_problem(label: str) -> str | None:
    """Say why a label can't stand on a FAT volume.

    Only ASCII: beyond it the bytes mean another letter on every computer (OEM code page).
    """
    if any(not " " <= character <= "~" for character in label):
        return f"{shown(label)} must be plain ASCII letters, digits and signs"
    if forbidden := sorted(set(label) & _LABEL_FORBIDS):
        return f"{shown(label)} holds {' '.join(forbidden)}, which FAT forbids"
    if label != label.upper():
        return f"{shown(label)} must be upper case: {shown(label.upper())}"
    if len(label) > LABEL_BYTES:
        return f"{shown(label)} is {len(label)} bytes long, FAT allows {LABEL_BYTES}"
    if label != label.strip():
        return f"{shown(label)} must neither begin nor end with a space"
    return None
