// SPDX-License-Identifier: Apache-2.0
// Prints a generated page, for the targets update-*.
#include <cstdio>
#include <string>
#include <string_view>

#include "config/load.hpp"
#include "core/record/template.hpp"
#include "daemon/completion.hpp"
#include "daemon/manual_pages.hpp"
#include "exporters/registry.hpp"

int main(int argc, char** argv) {
    const std::string_view page = argc == 2 ? argv[1] : "";
    std::string text;
    if (page == "fields") text = nfstreamd::fields_markdown();
    if (page == "reference") text = nfstreamd::config::reference_markdown(nfstreamd::exporters::exporter_schemas());
    if (page == "schema") text = nfstreamd::config::json_schema(nfstreamd::exporters::exporter_schemas());
    if (page == "nfstreamd.yaml.5") text = nfstreamd::config::manual_page(nfstreamd::exporters::exporter_schemas());
    if (page == "nfstreamd.8") text = nfstreamd::daemon::nfstreamd_manual_page();
    if (page == "nfstreamctl.1") text = nfstreamd::daemon::nfstreamctl_manual_page();
    if (text.empty()) text = nfstreamd::daemon::completion(page);
    std::fputs(text.c_str(), stdout);
    return text.empty() ? 2 : 0;
}
