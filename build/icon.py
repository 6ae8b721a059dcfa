#!/usr/bin/env python3
"""Draws build/icon.png: the same shapes as build/icon.svg, without any drawing library."""
import math
import pathlib
import struct
import zlib

SIZE = 128
GREEN, LIGHT, WHITE = (0x14, 0x53, 0x2D), (0x86, 0xEF, 0xAC), (0xFF, 0xFF, 0xFF)


def rounded_square(x, y, half=64.0, radius=28.0):
    dx, dy = abs(x - 64) - half + radius, abs(y - 64) - half + radius
    return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - radius


def segment(x, y, ax, ay, bx, by):
    t = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
    t = min(max(t, 0), 1)
    return math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay))


def arc(x, y):
    """Distance to the circle around (64, 64) with radius 32, open in the upper right."""
    angle = math.degrees(math.atan2(y - 64, x - 64)) % 360
    if angle <= 296:
        return abs(math.hypot(x - 64, y - 64) - 32)
    return min(math.hypot(x - 96, y - 64), math.hypot(x - 78, y - 35))


def triangle(x, y, corners=((74, 20), (96, 36), (72, 50))):
    edges = list(zip(corners, corners[1:] + corners[:1]))
    inside = all((bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0 for (ax, ay), (bx, by) in edges)
    distance = min(segment(x, y, *a, *b) for a, b in edges)
    return -distance if inside else distance


def paint(base, ink, distance):
    """The base colour with a shape of the ink on it, one pixel of soft edge."""
    cover = min(max(0.5 - distance, 0), 1)
    return tuple(b + (i - b) * cover for b, i in zip(base, ink))


def pixel(x, y):
    opaque = min(max(0.5 - rounded_square(x, y), 0), 1)
    colour = paint(GREEN, LIGHT, arc(x, y) - 5.5)
    colour = paint(colour, LIGHT, triangle(x, y))
    tick = min(segment(x, y, 50, 65, 60, 76), segment(x, y, 60, 76, 80, 53))
    colour = paint(colour, WHITE, tick - 5)
    return bytes([*(round(c) for c in colour), round(255 * opaque)])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(pixel(x + 0.5, y + 0.5) for x in range(SIZE)) for y in range(SIZE))
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)) \
    + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
pathlib.Path(__file__).with_name("icon.png").write_bytes(png)
