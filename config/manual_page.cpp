// SPDX-License-Identifier: Apache-2.0
// nfstreamd.yaml(5).
#include <fmt/format.h>

#include "config/generations.hpp"
#include "config/load.hpp"
#include "config/roff.hpp"
#include "config/table_text.hpp"
#include "config/tables.hpp"

namespace nfstreamd::config {
namespace {

constexpr std::string_view kDescription = R"(.Sh DESCRIPTION
.Xr nfstreamd 8
reads one YAML file, by default
.Pa /etc/nfstreamd/nfstreamd.yaml ,
then the files
.Pa conf.d/*.yaml
beside it in the order of their names, then what its option
.Fl \-set
says.
Later wins: maps merge key by key; entries of
.Ic capture
and
.Ic exporters
append, but an exporter merges over a former one of the same name; any other
list replaces the former one.
A key with nothing after its colon counts as not written.
.Pp
A key
.Ic a.b
below is the key
.Ic b
in the map
.Ic a .
Anchors and aliases are not supported.
.Ql nfstreamd \-t
reports all that is wrong with its place,
.Ql nfstreamd \-\-print\-config
shows what is in effect.
Editors that use a YAML language server check while one writes, by the JSON
Schema that the first line of the installed example names.
.Ss Values
.Bl -tag -width Ds
.It duration
Seconds as 120, or with a unit: 500ms, 120s, 5m, 1h, 1d.
.It size
Octets as 65536, or with a unit: 64KiB, 64MiB (powers of 1024), 64kB, 64MB
(powers of 1000).
.It integer
Also 10k, 1M, 1G (powers of 1000).
.It bool
true or false; also yes, no, on, off.
.It list
Of strings; a single string is a list of one.
.It secret
A string that
.Fl \-print\-config
masks.
.El
.Pp
.Ql ${NAME}
in any value is the environment variable of that name;
.Ql $${
stands for the two characters
.Ql ${ .
.Ql !file Ar PATH
is the text of a file without its last line break; the path is relative to the
file that names it.
.Ss Changes
What a change costs when the daemon reloads:
.Em live ,
it holds at once;
.Em reopen ,
what it belongs to is opened anew;
.Em restart ,
it takes effect at the next start of the daemon.
)";

constexpr std::string_view kEnd = R"(.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/nfstreamd/nfstreamd.yaml
The configuration.
.It Pa /etc/nfstreamd/conf.d/*.yaml
Read after it.
.It Pa /usr/share/nfstreamd/nfstreamd.schema.json
Its JSON Schema.
.El
.Sh EXAMPLES
What is on eth0, to a collector:
.Bd -literal -offset indent
capture:
  \- interface: eth0
exporters:
  \- name: main
    type: ipfix
    collectors: ["udp://192.0.2.5:4739"]
.Ed
.Sh SEE ALSO
.Xr nfstreamctl 1 ,
.Xr pcap-filter 7 ,
.Xr nfstreamd 8
)";

void append_settings(std::string& out, std::span<const SettingSpec> settings) {
    out += ".Bl -tag -width Ds\n";
    for (const SettingSpec& spec : settings) {
        out += fmt::format(".It Ic {} Pq {}\n{}", spec.name, type_text(spec.type), roff_text(spec.description));
        std::string facts = spec.required                ? "Required"
                            : spec.default_value.empty() ? ""
                                                         : fmt::format("Default {}", spec.default_value);
        std::string accepted;
        for (const std::string_view choice : choices_of(spec))
            accepted += fmt::format("{}{}", accepted.empty() ? "" : ", ", choice);
        if (const auto bounds = bounds_text(spec); !bounds.empty())
            accepted += (accepted.empty() ? "" : " or ") + bounds;
        if (!accepted.empty()) facts += fmt::format("{}one of {}", facts.empty() ? "" : "; ", accepted);
        facts += fmt::format("{}change: {}.", facts.empty() ? "" : "; ", reload_text(spec.reload));
        if (facts[0] >= 'a') facts[0] = static_cast<char>(facts[0] - 'a' + 'A');
        out += roff_text(facts);
    }
    out += ".El\n";
}

}  // namespace

std::string manual_page(std::span<const ExporterSchema> exporter_schemas) {
    std::string out = roff_head("NFSTREAMD.YAML 5", "nfstreamd.yaml", "configuration of nfstreamd");
    out += kDescription;
    out += ".Sh SETTINGS\n.Ss Top level\n";
    append_settings(out, top_settings());
    for (const Block& block : blocks()) {
        out += fmt::format(".Ss {}\n{}", block.key, roff_text(block.summary));
        if (block.key != "exporters") {
            append_settings(out, settings_of_block(block.key));
            continue;
        }
        out += roff_text(
            "Each entry has a `type`, one of those below, and may have a `name` of 1 to 64 letters, digits, - and _. "
            "Names are unique; the type is the default.");
        for (const ExporterSchema& schema : exporter_schemas) {
            out += fmt::format(".Ss Exporter {}\n{}", schema.type, roff_text(schema.summary));
            append_settings(out, schema.settings);
        }
    }
    out += ".Ss Generations of nfstream\n";
    out += roff_text(
        "With `metering.compatibility` nfstream3 or nfstream0 the parameters are those of that generation of nfstream, "
        "with its defaults. A key that a generation does not have is an error that names the one it has.");
    return out.append(kEnd);
}

}  // namespace nfstreamd::config
