"""Sends twenty events with Python's fluent-logger. Usage: python3 send.py PORT"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
from fluent import sender

logger = sender.FluentSender(
    "peer", host="127.0.0.1", port=int(sys.argv[1]), nanosecond_precision=True)
for i in range(20):
    time = sender.EventTime(1700000000 + i)
    record = {"i": i, "text": "héllo", "list": [1, 2.5, None], "map": {"yes": True},
              "big": "x" * (i * 100)}
    assert logger.emit_with_time(f"tag{i % 2}", time, record), logger.last_error
logger.close()
