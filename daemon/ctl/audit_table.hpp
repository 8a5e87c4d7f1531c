// SPDX-License-Identifier: Apache-2.0
// The answer to `audit` as a table for people, and whether it balances. Pure.
#pragma once
#include <string>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

struct AuditTable {
    std::string text;
    bool balanced = false;
};
Result<AuditTable> audit_table(const std::string& ledger_json);

}  // namespace nfstreamd::ctl
