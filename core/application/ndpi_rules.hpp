// SPDX-License-Identifier: Apache-2.0
// Files of rules in nDPI's own formats. The library takes what it understands,
// says nothing of the rest, and some lines make it read what is not its own: so
// every line is looked at before it gets the file.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd {

struct RuleFile {
    std::vector<Error> problems;         // where: "path:line", or the path
    std::vector<std::string> protocols;  // that its lines name, as nDPI spells them, in order, each once
    std::uint64_t content = 0;           // hash of its text
};

// tcp:PORT[-PORT], udp:..., ip:ADDRESS[/BITS][:PORT], host:"NAME", with commas
// between, @PROTOCOL; ip_risk_mask, host_risk_mask and trusted_issuer_dn.
RuleFile read_protocols_file(const std::string& path);

// A host name or an IPv4 network, a tab, the number of a category.
RuleFile read_categories_file(const std::string& path);

}  // namespace nfstreamd
