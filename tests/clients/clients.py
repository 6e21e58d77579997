"""Python's httpx over HTTP/1.1 and HTTP/2: clients.py URL TOKEN; prints one line a request."""

import sys

import httpx

url, token = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}"}
with httpx.Client() as client:
    answer = client.get(url, headers=headers)
    print(answer.http_version, answer.status_code, client.get(url).status_code)
with httpx.Client(http1=False, http2=True) as client:
    answer = client.get(url, headers=headers)
    print(answer.http_version, answer.status_code, client.get(url).status_code)
