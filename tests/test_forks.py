"""A process that forks after it has asked for prices: gunicorn --preload, Celery, uWSGI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.versions,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
]

SITE = """
import asyncio, os, sys, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forks while threads run
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["channels", "django_fcs"],
    CHANNEL_LAYERS={"default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
    }},
    CACHES={"default": {"BACKEND": "tests.support.own_cache.OwnCache"}},
)
django.setup()
from django_fcs import site
from django_fcs.prices.paths import PathReport
from django_fcs.prices.store import LastValue
from django_fcs.quotes import aget_quote, get_quote
from django_fcs.rooms import Room
from django_fcs.tools.metrics import gauges, shown

TEXT = ('{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","seq":1,"at":%f,"prices":'
        '{"mode":"candle","t":60,"o":1,"h":1,"l":1,"c":1.5}}')
now = time.time()
site.site_store().save(
    {Room("FX:EURUSD", "1D"): LastValue(TEXT % now)}, PathReport(now, online=True, reason="")
)

def forked(look):
    if pid := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 0, status
        return
    try:
        look()
    except BaseException as error:
        sys.stderr.write(repr(error))
        os._exit(1)
    os._exit(0)

def look():
    quote = get_quote("FX:EURUSD")
    assert quote is not None and quote.close == 1.5, quote
    assert asyncio.run(aget_quote("FX:EURUSD")) is not None
    assert site.site_store().failure == ""
"""

SCENES = {
    "after a price was read": """
look()
forked(look)
look()
""",
    "twice": """
look()
forked(lambda: (look(), forked(look)))
""",
    "while another thread holds the lock": """
import threading
look()
thread = next(iter(site.site_store()._calls._thread._of_process.values()))
held, done = threading.Event(), threading.Event()
def hold():
    with thread._lock:
        held.set()
        done.wait(60)
threading.Thread(target=hold, daemon=True).start()
held.wait()
forked(look)
done.set()
""",
    "while a hub and a stream run": """
async def main():
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 60  # A fork blocks it, which Python's development mode logs.
    site.streams[loop] = loop.create_task(asyncio.sleep(60))
    with shown(lambda: {"hub_online": 1.0}):
        assert gauges() and site.streams
        def look_around():
            assert not gauges() and not site.streams
            look()
        forked(lambda: look_around_in_thread(look_around))
        assert gauges() and site.streams
    site.streams.pop(loop).cancel()

def look_around_in_thread(look_around):
    # The loop of the parent counts as running in the thread that forked.
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(look_around).result()

asyncio.run(main())
""",
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_forked_process_reads_prices(scene: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SITE + SCENES[scene]],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
