// SPDX-License-Identifier: Apache-2.0
// Prints a generated page, for the targets update-fields and update-reference.
#include <cstdio>
#include <string>
#include <string_view>

#include "config/load.hpp"
#include "core/record/template.hpp"
#include "exporters/registry.hpp"

int main(int argc, char** argv) {
    const std::string_view page = argc == 2 ? argv[1] : "";
    std::string text;
    if (page == "fields") text = nfstreamd::fields_markdown();
    if (page == "reference") text = nfstreamd::config::reference_markdown(nfstreamd::exporters::exporter_schemas());
    std::fputs(text.c_str(), stdout);
    return text.empty() ? 2 : 0;
}
