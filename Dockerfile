# docker build -t mockd .
# docker run --rm -p 4280:4280 -p 127.0.0.1:4290:4290 -v "$PWD/mocks:/mocks:ro" mockd
FROM python:3.11-slim

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin mockd

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY mockd ./mockd
RUN pip install --no-cache-dir .

# What is in /mocks is served: the examples, until a folder is mounted there. With an empty MOCKD_CONFIG there is
# nothing, for the admin API to add to. That one is reachable from outside here, so it wants a key: MOCKD_API_KEY, or
# the one that is printed at the start.
COPY examples/sse /mocks
ENV MOCKD_HOST=0.0.0.0 \
    MOCKD_PORT=4280 \
    MOCKD_ADMIN_HOST=0.0.0.0 \
    MOCKD_ADMIN_PORT=4290 \
    MOCKD_CONFIG=/mocks
WORKDIR /mocks
USER mockd
EXPOSE 4280 4290

HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "import http.client, os, sys; probe = http.client.HTTPConnection('127.0.0.1', int(os.environ['MOCKD_PORT']), timeout=2); probe.request('GET', '/__mockd/health'); sys.exit(probe.getresponse().status != 200)"]

# In exec form, so that mockd gets SIGTERM itself and ends its streams.
ENTRYPOINT ["mockd"]
CMD ["serve"]
