// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "config/generations.hpp"
#include "config/load.hpp"
#include "config/table_text.hpp"
#include "config/tables.hpp"

namespace nfstreamd::config {
namespace {

constexpr std::string_view kPreamble = R"(# Settings

<!-- Printed from the tables in the code; a test compares. -->

`nfstreamd` reads one YAML file (`-c`, by default `/etc/nfstreamd/nfstreamd.yaml`), then the files `conf.d/*.yaml`
beside it in the order of their names, then `--set KEY=VALUE` in the order given. Later wins:

- Maps merge key by key. A key with nothing after its colon counts as not written.
- Entries of `capture`, `plugins`, `models` and `exporters` append, but an exporter, a plugin or a model merges over a
  former one of the same name. The name of an exporter is its `type` when it has none.
- Any other list replaces the former one.

Values:

- **duration**: seconds as `120`, or with a unit, `500ms` `120s` `5m` `1h` `1d`.
- **size**: octets as `65536`, or with a unit, `64KiB` `64MiB` (powers of 1024), `64kB` `64MB` (powers of 1000).
- **integer**: also `10k`, `1M`, `1G` (powers of 1000).
- **bool**: `true` or `false`; also `yes`, `no`, `on`, `off`.
- **list**: of strings; a single string is a list of one.
- **secret**: a string that `--print-config` masks.
- **any**: a text, a number, a list or a map.
- `${NAME}` in any value is the environment variable of that name; `$${` stands for the two characters `${`.
- `!file PATH` is the text of a file without its last line break. The path is relative to the file that names it.

A key `a.b` is the key `b` in the map `a`.

Anchors and aliases are not supported. `nfstreamd -t` reports all that is wrong as `file:line:column: key: message`,
`nfstreamd --print-config` shows what is in effect.

`--set` goes by the path of a key: `--set metering.idle_timeout=30`. Entries of lists go by name or by index from 0:
`--set exporters.main.rate_limit=5000`, `--set capture.0.snapshot_length=96`. `--set capture.KEY=VALUE` is for all
captures. The value is YAML: `--set 'capture.interface=[eth0, eth1]'`.

What a change costs when the daemon reloads (SIGHUP): **live**, it holds at once; **reopen**, what it belongs to is opened
anew; **restart**, it takes effect at the next start of the daemon.
)";

std::string accepted_text(const SettingSpec& spec) {
    std::string out;
    for (const std::string_view choice : choices_of(spec)) out += fmt::format("{}`{}`", out.empty() ? "" : " ", choice);
    const std::string bounds = bounds_text(spec);
    if (!bounds.empty()) out += fmt::format("{}{}", out.empty() ? "" : " or ", bounds);
    return out;
}

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

void append_table(std::string& out, std::span<const SettingSpec> settings) {
    out += "\n| key | type | default | accepted | change | meaning |\n|---|---|---|---|---|---|\n";
    for (const SettingSpec& spec : settings) {
        const std::string initial = spec.required                ? "required"
                                    : spec.default_value.empty() ? ""
                                                                 : fmt::format("`{}`", spec.default_value);
        out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", spec.name, type_text(spec.type), cell(initial),
                           cell(accepted_text(spec)), reload_text(spec.reload), cell(spec.description));
    }
}

constexpr std::string_view kExporterKeys = R"(
Each entry has a `type`, one of those below, and may have a `name` of 1 to 64 letters, digits, `-` and `_`: by it go the
status, the log and `--set`. Names are unique; the type is the default.
)";

}  // namespace

std::string reference_markdown(std::span<const ExporterSchema> exporter_schemas) {
    std::string out(kPreamble);
    out += "\n## Top level\n";
    append_table(out, top_settings());
    for (const Block& block : blocks()) {
        out += fmt::format("\n## `{}`\n\n{}\n", block.key, block.summary);
        if (block.key != "exporters") {
            append_table(out, settings_of_block(block.key));
            if (block.key == "metering") out += generations_markdown();
            continue;
        }
        out += kExporterKeys;
        for (const ExporterSchema& schema : exporter_schemas) {
            out += fmt::format("\n### Exporter `{}`\n\n{}\n", schema.type, schema.summary);
            append_table(out, schema.settings);
        }
    }
    return out;
}

}  // namespace nfstreamd::config
