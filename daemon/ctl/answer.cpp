// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/answer.hpp"

#include <fmt/format.h>

#include <sstream>

#include <boost/property_tree/json_parser.hpp>

#include "daemon/ctl/terminal_text.hpp"

namespace nfstreamd::ctl {

Error unreadable(const std::exception& error) {
    return {ErrorCode::kIo, fmt::format("the answer cannot be read: {}", printable(error.what())), ""};
}

Result<Tree> parse_answer(const std::string& document) {
    try {
        std::istringstream input(document);
        Tree tree;
        boost::property_tree::read_json(input, tree);
        if (const auto error = tree.get_optional<std::string>("error"))
            return Error{ErrorCode::kIo, printable(*error), ""};
        return tree;
    } catch (const std::exception& error) {
        return unreadable(error);
    }
}

std::string text(const Tree& tree, const char* path) {
    return printable(tree.get<std::string>(path));
}

std::uint64_t number(const Tree& tree, const char* path) {
    return tree.get<std::uint64_t>(path);
}

std::uint64_t sum(const Tree& counts) {
    std::uint64_t total = 0;
    for (const auto& [name, count] : counts) total += count.get_value<std::uint64_t>();
    return total;
}

}  // namespace nfstreamd::ctl
