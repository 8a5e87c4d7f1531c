// SPDX-License-Identifier: Apache-2.0
// What the control socket answers, as a tree. Pure.
#pragma once
#include <cstdint>
#include <exception>
#include <string>

#define BOOST_BIND_GLOBAL_PLACEHOLDERS  // what Boost 1.74 asks for, to be quiet
#include <boost/property_tree/ptree.hpp>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

using Tree = boost::property_tree::ptree;

// An error that the daemon tells, and what is no JSON, is an error; made printable.
Result<Tree> parse_answer(const std::string& document);

// A missing member throws, as a document of another version would.
std::string text(const Tree& tree, const char* path);  // printable
std::uint64_t number(const Tree& tree, const char* path);
std::uint64_t sum(const Tree& counts);  // of its members

Error unreadable(const std::exception& error);

// What `write` makes of the document, whatever it throws.
template <class Write>
Result<std::string> with_answer(const std::string& document, Write write) {
    try {
        const auto tree = parse_answer(document);
        if (!tree) return tree.error();
        return std::string(write(tree.value()));
    } catch (const std::exception& error) {
        return unreadable(error);
    }
}

}  // namespace nfstreamd::ctl
