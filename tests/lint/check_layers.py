#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""core <- config <- exporters <- daemon, floors inside core, and each library behind its own files.

Prints file:line of each #include that breaks a rule; exit status 1 if there is one.
usage: check_layers.py [--self-test]
"""
import re
import sys

import sources

# What a layer may include of the project.
LAYERS = {
    "core": ("core/",),
    "config": ("core/", "config/"),
    "exporters": ("core/", "config/settings.hpp", "exporters/"),
    "daemon": ("core/", "config/", "exporters/", "daemon/"),
}
# Floors inside core: a folder includes itself and lower floors only.
FLOORS = (("base",), ("packet", "host"), ("record", "capture"), ("selection",),
          ("flow", "export", "enrichment"), ("features", "application"), ("metering",),
          ("plugin",), ("model",))
FLOOR = {f"core/{folder}": height for height, floor in enumerate(FLOORS) for folder in floor}
# Headers of libraries, and the files that may see them.
LIBRARIES = (
    (re.compile(r"pcap/dlt\.h$"), re.compile(r"core/")),  # numbers only
    (re.compile(r"pcap(/|\.h)"), re.compile(r"core/capture/[a-z_]+\.cpp$")),
    (re.compile(r"ndpi"), re.compile(r"core/application/")),
    (re.compile(r"yaml-cpp/"), re.compile(r"config/yaml_reader\.cpp$")),
    (re.compile(r"fixbuf/|glib"), re.compile(r"exporters/ipfix/[a-z_]+\.cpp$")),
    (re.compile(r"openssl/"), re.compile(r"exporters/(anonymize/(crypto_pan|keyed_digest)|encode/[a-z_]+|transport/d?tls_[a-z_]+)\.cpp$|"
                                        r"core/plugin/plugins/tls_hello\.cpp$")),
    (re.compile(r"librdkafka/"), re.compile(r"exporters/transport/kafka_transport\.cpp$")),
    (re.compile(r"mosquitto\.h$"), re.compile(r"exporters/transport/mqtt_transport\.cpp$")),
    (re.compile(r"zmq\.h$"), re.compile(r"exporters/transport/zmq_transport\.cpp$")),
    (re.compile(r"nats/"), re.compile(r"exporters/transport/nats_transport\.cpp$")),
    (re.compile(r"curl/"), re.compile(r"exporters/transport/http_transport\.cpp$")),
    (re.compile(r"maxminddb\.h$"), re.compile(r"core/enrichment/mmdb_[a-z_]+\.cpp$")),
    (re.compile(r"zlib\.h$"), re.compile(r"exporters/transport/gzip_compressor\.cpp$")),
    (re.compile(r"zstd\.h$"), re.compile(r"exporters/transport/zstd_compressor\.cpp$")),
    (re.compile(r"systemd/"), re.compile(r"daemon/systemd_notify\.cpp$")),
    (re.compile(r"dlfcn\.h$"),
     re.compile(r"core/(plugin/plugin_object|application/ndpi_dispatch|model/xgboost_predictor)\.cpp$")),
    (re.compile(r"xgboost/"), re.compile(r"core/model/xgboost_predictor\.cpp$")),
    (re.compile(r"nlohmann/"), re.compile(r"core/model/model_file\.cpp$")),
    (re.compile(r"nfstreamd_exporter\.h$"), re.compile(r"exporters/plugin/[a-z_]+\.c$")),  # as plugins see it
    (re.compile(r"nfstreamd_plugin\.hp?p?$"), re.compile(r"core/plugin/example_[a-z0-9_]+\.c(pp)?$")),
    (re.compile(r"boost/(asio|system)"), re.compile(r"exporters/transport/|daemon/")),
    (re.compile(r"boost/lockfree/"), re.compile(r"core/")),
    (re.compile(r"boost/property_tree/"), re.compile(r"daemon/ctl/|core/plugin/plugins/settings\.hpp$")),
    (re.compile(r"boost/beast/"), re.compile(r"daemon/metrics/http_session\.cpp$")),
    (re.compile(r"prometheus/"), re.compile(r"daemon/metrics/metrics_text\.cpp$")),
    (re.compile(r"pybind11/|Python\.h$"), re.compile(r"daemon/python/")),
    (re.compile(r"fmt/"), re.compile(r"(core|config|exporters|daemon)/")),
)
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def fault(name, ours, theirs):
    """Why NAME may not include the project's header OURS or the library's THEIRS; None if it may."""
    layer = name.split("/")[0]
    if ours == "nfstreamd_plugin.h" and name == "core/plugin/nfstreamd_plugin.hpp":
        return None  # beside it, wherever they are installed
    if ours:
        if not ours.startswith(LAYERS[layer]):
            return f"{layer} may not include {ours}"
        here, there = (FLOOR.get("/".join(path.split("/")[:2])) for path in (name, ours))
        if layer == "core" and ours.split("/")[1] != name.split("/")[1]:
            if here is None or there is None:
                return f"a folder of core without a floor in check_layers.py: {name} includes {ours}"
            if there >= here:
                return f"{ours} is not on a floor below"
        return None
    for library, users in LIBRARIES:
        if library.match(theirs):
            return None if users.match(name) else f"<{theirs}> may be included by {users.pattern} only"
    if "/" in theirs and not theirs.startswith(("sys/", "net/", "netinet/", "netpacket/", "linux/", "arpa/")):
        return f"<{theirs}>: a library that check_layers.py does not know"
    return None


def check(root):
    violations = []
    for name in sources.files(root):
        if name.split("/")[0] not in LAYERS or not name.endswith(sources.CODE):
            continue
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            why = fault(name, *include.groups()) if include else None
            if why:
                violations.append(f"{name}:{number}: {why}")
    return violations


FAULTY = (
    ("core/flow/a.hpp", '#include "config/settings.hpp"\n'),
    ("core/packet/a.hpp", '#include "core/metering/metering_process.hpp"\n'),
    ("core/record/a.hpp", '#include "core/capture/packet_source.hpp"\n'),
    ("core/novelty/a.hpp", '#include "core/base/result.hpp"\n'),
    ("core/metering/a.cpp", "#include <pcap/pcap.h>\n"),
    ("core/capture/a.hpp", "#include <pcap/pcap.h>\n"),
    ("core/flow/a.cpp", "#include <ndpi_api.h>\n"),
    ("core/base/a.cpp", "#  include <boost/asio.hpp>\n"),
    ("config/a.cpp", '#include "exporters/registry.hpp"\n'),
    ("config/load.cpp", "#include <yaml-cpp/yaml.h>\n"),
    ("exporters/a.cpp", '#include "config/config.hpp"\n'),
    ("exporters/a.cpp", '#include "daemon/application.hpp"\n'),
    ("exporters/plugin/plugin_exporter.cpp", "#include <dlfcn.h>\n"),
    ("exporters/transport/a.cpp", "#include <fixbuf/public.h>\n"),
    ("daemon/application.cpp", "#include <systemd/sd-daemon.h>\n"),
    ("daemon/application.cpp", "#include <Python.h>\n"),
    ("exporters/plugin/a.cpp", "#include <pybind11/pybind11.h>\n"),
    ("daemon/application.cpp", "#include <unheard/of.h>\n"),
)

if __name__ == "__main__":
    sys.exit(sources.main(check, FAULTY))
