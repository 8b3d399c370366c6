"""A small network for tests: namespaces on one bridge, where cables can be pulled.

The test's process leaves the machine's own network first (`leave`), so that nothing of it is visible there. Needs
root, or a machine that lets users make namespaces of their own.
"""

import ctypes
import os
import subprocess

from nodes import Node

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
NET = "10.77.0"


def leave():
    """Takes this process into a network of its own; answers why not, where that is impossible."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWNET if uid == 0 else CLONE_NEWNET | CLONE_NEWUSER
    if libc.unshare(flags) != 0:
        return f"no namespace of its own for this user: {os.strerror(ctypes.get_errno())}"
    if uid != 0:
        for name, line in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)
    ip("link", "set", "lo", "up")
    return None


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Lab:
    """A bridge, and hosts on it; this process is the machine that the bridge is in."""

    def __init__(self):
        self.hosts = []
        ip("link", "add", "br0", "type", "bridge")
        ip("addr", "add", f"{NET}.254/24", "dev", "br0")
        ip("link", "set", "br0", "up")

    def host(self):
        number = len(self.hosts) + 1
        holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        host = Host(number, holder)
        # Until the process is in its namespace, the interface would go nowhere.
        while os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            pass
        ip("link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        ip("link", "set", f"port{number}", "master", "br0", "up")
        host.inside("ip", "link", "set", "lo", "up")
        host.inside("ip", "addr", "add", f"{NET}.{number}/24", "dev", "eth0")
        host.inside("ip", "link", "set", "eth0", "up")
        self.hosts.append(host)
        return host

    def end(self):
        for host in self.hosts:
            host.holder.kill()
            host.holder.wait()
        ip("link", "del", "br0")


class Host:
    def __init__(self, number, holder):
        self.number = number
        self.holder = holder
        self.prefix = ["nsenter", "--target", str(holder.pid), "--net"]

    def inside(self, *command):
        subprocess.run([*self.prefix, *command], check=True, capture_output=True)

    def cut(self):
        """Pulls the cable."""
        ip("link", "set", f"port{self.number}", "down")

    def heal(self):
        ip("link", "set", f"port{self.number}", "up")

    def isolate(self, on=True):
        """Hosts that are isolated do not reach each other, and do reach those that are not."""
        ip("link", "set", f"port{self.number}", "type", "bridge_slave", "isolated", "on" if on else "off")

    def node(self, data, number):
        return LabNode(data, number, self)


class LabNode(Node):
    """A node on a host of the lab. Its commands go through its socket, so that they reach it when it is cut off."""

    def __init__(self, data, number, host):
        super().__init__(data, number)
        self.host = host
        self.prefix = host.prefix
        self.listen = f"{NET}.{host.number}:7300"
