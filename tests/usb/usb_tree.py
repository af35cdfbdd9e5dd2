"""A sysfs with whole USB hubs in it: buses, ports and their peers, power and descriptors."""

from pathlib import Path

from tests.device.sysfs_tree import XHCI, SysfsTree

# Of a stick that could do USB 3: the BOS header, USB 2.0 extension, and SuperSpeed capability.
SUPERSPEED_BOS = bytes.fromhex("050f160002 07100206000000 0a1003000e00010aff07")
HIGH_SPEED_BOS = bytes.fromhex("050f0c0001 07100206000000")


class UsbTree(SysfsTree):
    """`add_root` makes a bus with its ports, `add_hub` and `add_stick` plug something in."""

    def add_root(self, number: int, ports: int, mbps: int = 480, controller: str = XHCI) -> None:
        self.add_bus(number, mbps, controller)
        root = self.device(number, "")
        self._describe(root, product="xHCI Host Controller", speed=str(mbps), maxchild=str(ports))
        self._make_interface(root / f"{number}-0:1.0", usb_class=9, endpoints=("81",))
        for port in range(1, ports + 1):
            self._port(number, str(port))
        devices = self.sys / "bus" / "usb" / "devices"
        devices.mkdir(exist_ok=True)
        (devices / f"usb{number}").symlink_to(root)

    def add_hub(  # noqa: PLR0913 - the facts of a hub
        self,
        bus: int,
        chain: str,
        ports: int,
        *,
        mbps: int = 480,
        self_powered: bool = True,
        max_power_ma: int = 100,
    ) -> Path:
        hub = self.device(bus, chain)
        self._describe(
            hub,
            manufacturer="GenesysLogic",
            product="USB Hub",
            speed=str(mbps),
            maxchild=str(ports),
            bmAttributes="e0" if self_powered else "a0",
            bMaxPower=f"{max_power_ma}mA",
        )
        self._make_interface(hub / f"{bus}-{chain}:1.0", usb_class=9, endpoints=("81",))
        for port in range(1, ports + 1):
            self._port(bus, f"{chain}.{port}")
        return hub

    def add_usb3_hub(self, usb2: tuple[int, str], usb3: tuple[int, str], ports: int) -> None:
        """A hub with both halves; their ports are peers, as the kernel finds them."""
        self.add_hub(*usb2, ports)
        self.add_hub(*usb3, ports, mbps=5000)
        for port in range(1, ports + 1):
            self.pair((usb2[0], f"{usb2[1]}.{port}"), (usb3[0], f"{usb3[1]}.{port}"))

    def add_stick(  # noqa: PLR0913 - the facts of a stick
        self,
        name: str,
        bus: int,
        chain: str,
        *,
        mbps: int = 480,
        version: str = "2.00",
        max_power_ma: int = 200,
        bos: bytes | None = None,
        diskseq: int = 7,
        max_sectors: int = 240,
        lun: int = 0,
    ) -> Path:
        disk = self.plug(name, bus, chain, diskseq=diskseq, lun=lun)
        device = self.device(bus, chain)
        self._describe(
            device,
            speed=str(mbps),
            version=f" {version}",
            maxchild="0",
            bmAttributes="80",
            bMaxPower=f"{max_power_ma}mA",
        )
        if bos is not None:
            (device / "bos_descriptors").write_bytes(bos)
        self._make_interface(
            device / f"{bus}-{chain}:1.0", usb_class=8, endpoints=("81", "02"), driver="usb-storage"
        )
        (disk / "device" / "max_sectors").write_text(f"{max_sectors}\n")
        return disk

    def add_keyboard(self, bus: int, chain: str) -> Path:
        device = self.device(bus, chain)
        self._describe(device, product="Keyboard", speed="12", maxchild="0", bmAttributes="a0")
        interface = device / f"{bus}-{chain}:1.0"
        self._make_interface(interface, usb_class=3, endpoints=("81",), driver="usbhid")
        return interface

    def _describe(self, device: Path, **attributes: str) -> None:
        defaults = {"idVendor": "05e3", "idProduct": "0610"}
        for attribute, text in (defaults | attributes).items():
            path = device / attribute
            if attribute in attributes or not path.exists():
                path.write_text(f"{text}\n")

    def _make_interface(
        self, folder: Path, *, usb_class: int, endpoints: tuple[str, ...], driver: str = "hub"
    ) -> None:
        self._make_usb(folder)
        (folder / "bInterfaceClass").write_text(f"{usb_class:02x}\n")
        (folder / "authorized").write_text("1\n")
        for endpoint in endpoints:
            (folder / f"ep_{endpoint}").mkdir(exist_ok=True)
        driver_folder = self.sys / "bus" / "usb" / "drivers" / driver
        driver_folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "driver").is_symlink():
            (folder / "driver").symlink_to(driver_folder)
