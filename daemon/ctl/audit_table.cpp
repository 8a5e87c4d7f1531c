// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/audit_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <sstream>
#include <vector>

#define BOOST_BIND_GLOBAL_PLACEHOLDERS  // what Boost 1.74 asks for, to be quiet
#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>

namespace nfstreamd::ctl {
namespace {

using Tree = boost::property_tree::ptree;

constexpr std::size_t kWidth = 100;

struct Line {
    std::string name, total;
    std::vector<std::string> parts;  // that are not zero
    std::string remark;
};

Line line_of(const Tree& balance) {
    Line line{balance.get<std::string>("name"), balance.get<std::string>("total"), {}, {}};
    for (const auto& [name, count] : balance.get_child("parts"))
        if (count.get_value<std::uint64_t>() != 0) line.parts.push_back(fmt::format("{} {}", name, count.data()));
    if (line.parts.empty()) line.parts.emplace_back("0");
    const auto state = balance.get<std::string>("state");
    if (state == "broken") line.remark = fmt::format("BROKEN, missing: {}", balance.get<std::string>("difference"));
    if (state == "moving") line.remark = fmt::format("in flight: {}", balance.get<std::string>("difference"));
    if (!balance.get<bool>("current")) line.remark += line.remark.empty() ? "as of before" : "; as of before";
    return line;
}

// Its parts below one another where they do not fit beside.
std::string text_of(const Line& line, std::size_t name_width, std::size_t total_width) {
    std::string out = fmt::format("  {:<{}}  {:>{}}  = ", line.name, name_width, line.total, total_width);
    const std::size_t indent = out.size();
    std::size_t column = indent;
    for (std::size_t i = 0; i < line.parts.size(); ++i) {
        const std::string part = (i == 0 ? "" : "+ ") + line.parts[i];
        if (i > 0 && column + 1 + part.size() > kWidth) {
            out += "\n" + std::string(indent - 2, ' ');
            column = indent - 2;
        } else if (i > 0) {
            out += " ";
            ++column;
        }
        out += part;
        column += part.size();
    }
    if (!line.remark.empty()) out += fmt::format("   ({})", line.remark);
    return out + "\n";
}

std::string verdict(const Tree& ledger) {
    const auto checks = ledger.get<std::uint64_t>("checks"), violations = ledger.get<std::uint64_t>("violations");
    return fmt::format("{}: {} checks since the start, {} violations\n",
                       ledger.get<bool>("balanced") ? "balanced" : "NOT BALANCED", checks, violations);
}

}  // namespace

Result<AuditTable> audit_table(const std::string& ledger_json) {
    try {
        std::istringstream input(ledger_json);
        Tree ledger;
        boost::property_tree::read_json(input, ledger);
        if (const auto error = ledger.get_optional<std::string>("error")) return Error{ErrorCode::kIo, *error, ""};
        const auto& balances = ledger.get_child("balances");
        std::size_t name_width = 0, total_width = 0;
        for (const auto& [index, balance] : balances) {
            name_width = std::max(name_width, balance.get<std::string>("name").size());
            total_width = std::max(total_width, balance.get<std::string>("total").size());
        }
        AuditTable table;
        std::string of;
        for (const auto& [index, balance] : balances) {
            if (const auto owner = balance.get<std::string>("of"); owner != of) table.text += (of = owner) + "\n";
            table.text += text_of(line_of(balance), name_width, total_width);
        }
        table.text += verdict(ledger);
        table.balanced = ledger.get<bool>("balanced");
        return table;
    } catch (const std::exception& error) {
        return Error{ErrorCode::kIo, fmt::format("the answer cannot be read: {}", error.what()), ""};
    }
}

}  // namespace nfstreamd::ctl
