// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_module.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd;
using nfstreamd::config::test::Workspace;

namespace {

const ApplicationInfo* find(const ApplicationList& list, std::string_view name) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.name == name; });
    return found == list.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("NdpiModule: its applications have an id and a name each, the ones that records have") {
    auto module = NdpiModule::create({});
    REQUIRE(module);
    const ApplicationList list = module.value()->applications();
    CHECK(list.size() > 200);
    std::set<std::uint16_t> ids;
    for (const ApplicationInfo& one : list) {
        CHECK(ids.insert(one.id).second);
        CHECK(module.value()->application_name(0, one.id) == one.name);
        CHECK_FALSE(one.category.empty());
    }
    REQUIRE(find(list, "TLS") != nullptr);
    CHECK(find(list, "TLS")->category == "Web");
    CHECK(find(list, "Unknown")->id == 0);
}

TEST_CASE("NdpiModule: protocols of the operator are among its applications") {
    const Workspace workspace;
    NdpiFiles files;
    files.protocols = workspace.write("protocols.txt", "tcp:7777@Accounting\nhost:\"example.org\"@Ledger\n");
    auto module = NdpiModule::create(files);
    REQUIRE(module);
    const ApplicationList list = module.value()->applications();
    REQUIRE(find(list, "Accounting") != nullptr);
    REQUIRE(find(list, "Ledger") != nullptr);
    CHECK(find(list, "Accounting")->id != find(list, "Ledger")->id);
}
