"""Requests as a browser makes them: unsigned, redirects not followed."""

import urllib3

_pool = urllib3.PoolManager(retries=False, timeout=30)


class Page:
    """An answer."""

    def __init__(self, answer):
        self.status_code, self.headers, self.content = answer.status, answer.headers, answer.data
        self.text = answer.data.decode("utf-8", "replace")


def send(method, url, data=None, headers=None):
    return Page(_pool.request(method, url, body=data, headers=headers or {}, redirect=False))
