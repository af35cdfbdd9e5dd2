"""Whether sticks that could do USB 3 run on USB 2."""

from station.doctor.finding import Finding, advice
from station.doctor.machine import Machine
from station.usb.tree import read_usb_tree


def check_usb_speed(machine: Machine) -> list[Finding]:
    """Look at every stick that is in."""
    return [
        advice(
            f"the stick in {machine.place(socket.name)} could do USB 3 and runs on USB 2",
            "Pull it and push it in again swiftly and all the way; clean its contacts."
            if socket.has_usb3
            else "That socket has no USB 3. Use another one, or plug its hub into a USB 3 socket"
            " with a USB 3 cable.",
        )
        for controller in read_usb_tree(machine.sysfs)
        for socket in controller.walk()
        for device in socket.devices
        if device.is_mass_storage and device.has_superspeed and not device.is_on_usb3
    ]
