// SPDX-License-Identifier: Apache-2.0
// A configuration by anybody: a file, a drop-in and one --set, parted by lines
// of "%%". What is wrong is told in whole lines with a place; what is right is
// printed, and what is printed reads as the same again.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "core/base/printable_text.hpp"
#include "exporters/registry.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;

constexpr std::string_view kParting = "\n%%\n";

std::string_view next_part(std::string_view& text) {
    const auto end = std::min(text.find(kParting), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + kParting.size(), text.size()));
    return part;
}

// !file reads what the operator may read; here only what is in the folder.
bool leads_elsewhere(std::string_view text) {
    for (auto at = text.find("!file"); at != text.npos; at = text.find("!file", at + 1)) {
        const auto line = text.substr(at, std::min(text.find('\n', at), text.size()) - at);
        if (line.find_first_of("/\\$|>'\"") != line.npos || line.find("..") != line.npos || line.size() < 7)
            return true;
    }
    return text.find("!<") != text.npos || text.find("%TAG") != text.npos;
}

const fuzz::MemoryFolder& folder() {
    static const fuzz::MemoryFolder folder;
    return folder;
}

void write(const std::string& name, std::string_view text) {
    folder().write(name, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

config::Loaded load(const std::string& file, std::string_view override_text, bool reads_files) {
    config::LoadRequest request{folder().path() + "/" + file, {}, exporters::exporter_schemas(), {}};
    if (const auto equals = override_text.find('='); equals != override_text.npos)
        request.overrides.emplace_back(override_text.substr(0, equals), override_text.substr(equals + 1));
    if (reads_files) request.read_files = {"a.pcap"};
    return config::load(request);
}

void check_texts(const config::Loaded& loaded) {
    require(loaded.config.has_value() == loaded.errors.empty(), "there is a configuration or an error");
    for (const config::ConfigError& error : loaded.errors) {
        require(!error.where.empty() && !error.message.empty(), "an error has a place and a reason");
        require(printable(error.text()) == error.text(), "an error is a line of text");
    }
    for (const std::string& warning : loaded.warnings) require(!warning.empty(), "a warning is one");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, 0);
    ::clearenv();
    ::setenv("COLLECTOR", "udp://192.0.2.1:4739", 1);
    ::setenv("NOT_UTF8", "\xff", 1);
    std::filesystem::create_directory(folder().path() + "/conf.d");
    write("secret", "a secret\n");
    write("empty", "");
    write("binary", "\xff\xfe");
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(input), size);
    if (leads_elsewhere(text)) return -1;
    write("main.yaml", next_part(text));
    write("conf.d/50.yaml", next_part(text));
    const config::Loaded loaded = load("main.yaml", next_part(text), !text.empty());
    check_texts(loaded);
    if (!loaded.config) return 0;
    for (const config::ExporterConfig& exporter : loaded.config->exporters)
        require(exporters::find_exporter_type(exporter.type) != nullptr, "an exporter is of a type");

    write("conf.d/50.yaml", "");
    write("printed.yaml", loaded.effective_yaml);
    const config::Loaded again = load("printed.yaml", {}, false);
    check_texts(again);
    if (loaded.effective_yaml.find("********") != std::string::npos) return 0;  // a mask is no secret
    require(again.config.has_value(), "what is printed can be read");
    require(again.effective_yaml == loaded.effective_yaml, "what is printed reads as the same");
    return 0;
}
