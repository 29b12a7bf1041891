# The two tools, the side-car that records what they say, and what explains the recording, each in a small image of its
# own:
#
#   docker build --target pub .      also: sub, capture, analyze
#
# Needs nothing newer than the classic builder of Docker 20.10.

# Of Debian: trixie, or with --build-arg DEBIAN=forky another release that has what .ci/install names.
ARG DEBIAN=trixie

# --- capture: tcpdump, for a user who is not root ---------------------------------------------------------------
# First, because the classic builder builds every stage up to the one asked for.
FROM debian:${DEBIAN}-slim AS capture
LABEL org.opencontainers.image.title="capture" \
      org.opencontainers.image.description="Records what crosses the broker's network, as a pcap on standard output"
COPY .ci/install /tmp/install
RUN bash /tmp/install sidecar && apt-get clean && rm -r /tmp/install /var/lib/apt/lists/* \
 && useradd --system --home-dir /lab --shell /usr/sbin/nologin lab \
 && setcap cap_net_raw=ep "$(command -v tcpdump)"
ENV LANG=C.UTF-8
WORKDIR /lab
USER lab
CMD ["tcpdump", "--immediate-mode", "-B", "65536", "-U", "-w", "-", "-i", "br-mqtt"]

# --- analyze: what makes a report of a capture ------------------------------------------------------------------
FROM debian:${DEBIAN}-slim AS analyze
LABEL org.opencontainers.image.title="analyze" \
      org.opencontainers.image.description="Explains a capture of MQTT traffic: report.html and report.md"
COPY .ci/install /tmp/install
RUN bash /tmp/install analyze && apt-get clean && rm -r /tmp/install /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /lab --shell /usr/sbin/nologin lab
ENV LANG=C.UTF-8
WORKDIR /lab
COPY compose/explain explain
USER lab
CMD ["/usr/bin/python3", "explain", "--help"]

# --- dependencies: a layer that only a change of .ci/install makes anew -----------------------------------------
FROM debian:${DEBIAN}-slim AS dependencies
COPY .ci/install /tmp/install
RUN bash /tmp/install build && apt-get clean && rm -r /tmp/install /var/lib/apt/lists/*

# --- build: the tools -------------------------------------------------------------------------------------------
FROM dependencies AS build
ENV LANG=C.UTF-8
WORKDIR /src
# By name: what the tools are not made from must not cost a rebuild when it changes.
COPY CMakeLists.txt CMakePresets.json ./
COPY common common
COPY pub pub
COPY sub sub
RUN cmake --preset release -DBUILD_TESTING=OFF \
 && cmake --build --preset release \
 && for tool in pub sub; do \
      cmake --install build/release --component "$tool" --prefix "/out/$tool" --strip \
        && mkdir -p /out/lab && mv "/out/$tool/bin/$tool" /out/lab/ \
        && ln -s "/lab/$tool" "/out/$tool/bin/$tool" || exit; \
    done
# Which packages the tools need to run is asked of the tools: the names of libraries change from one Debian to the next.
RUN ldd /out/lab/* | awk '$2 == "=>" { print $3 }' | sort -u | xargs realpath \
  | xargs dpkg-query --search | cut -d: -f1 | sort -u > /out/packages \
 && test -s /out/packages

# --- runtime: what pub and sub have in common -------------------------------------------------------------------
FROM debian:${DEBIAN}-slim AS runtime
COPY --from=build /out/packages /usr/local/share/lab-packages
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -qq --no-install-recommends < /usr/local/share/lab-packages \
 && apt-get clean && rm -r /var/lib/apt/lists/* \
 && useradd --system --home-dir /lab --shell /usr/sbin/nologin lab
ENV LANG=C.UTF-8
WORKDIR /lab
USER lab

# A tool lives where it is started from and is found by its name everywhere; /usr/local has its page and completions.
FROM runtime AS pub
LABEL org.opencontainers.image.title="pub" \
      org.opencontainers.image.description="Publishes MQTT messages; without arguments, what the host measures of itself"
COPY --from=build /out/pub /usr/local
COPY --from=build /out/lab/pub ./
CMD ["./pub"]

FROM runtime AS sub
LABEL org.opencontainers.image.title="sub" \
      org.opencontainers.image.description="Subscribes to MQTT topics and prints each message as a line"
COPY --from=build /out/sub /usr/local
COPY --from=build /out/lab/sub ./
CMD ["./sub"]

# --- session: the tests of what depends on this Debian's libraries, first of all Paho; only the container tests ask for it
FROM build AS session
COPY .ci .ci
RUN .ci/install broker
COPY tests tests
COPY compose/simulate compose/secure compose/secure-mosquitto.* compose/
RUN cmake --preset release -DBUILD_TESTING=ON \
 && cmake --build --preset release --target thread_tests integration_tests \
 && build/release/bin/thread_tests --gtest_brief=1 \
 && CI=true ctest --preset release -L '^integration$' --no-tests=error --output-on-failure \
      --parallel "$(($(nproc) * 2))" -E '^(BenchPeers|Build|CompareReports|Completion|Explained|Install|Linkage|ManPage|Measure|OnTheWire|Page|Prompt|Readme|Sentences|Tools|Usage|Wrongs)'

# --- check: all tests but those of documents and of pages, on this Debian; only people ask for it (tests/run --containers trixie)
FROM session AS check
RUN .ci/install test analyze
COPY compose/analyze compose/measure compose/secure compose/secure-mosquitto.* compose/
COPY compose/explain compose/explain
RUN cmake --build --preset release \
 && CI=true ctest --preset release -E '^(Readme|Page|Documents)' --no-tests=error --output-on-failure --parallel "$(nproc)"

# --- bench: the tools beside other clients, on this Debian's libraries; tests/bench/peers --container asks for it
FROM build AS bench
COPY .ci .ci
RUN .ci/install test bench && apt-get clean && rm -r /var/lib/apt/lists/*
COPY tests tests
RUN cmake --preset release -DBUILD_TESTING=ON \
 && cmake --build --preset release --target gauge
