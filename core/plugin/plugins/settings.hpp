// SPDX-License-Identifier: Apache-2.0
// The settings of nfstreamd's own plugins: a map of numbers and texts, of which
// each is known. Errors are exceptions that say what to write.
#pragma once
#include <algorithm>
#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>
#include <cstdint>
#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace nfstreamd::plugins {

class Settings {
public:
    Settings(std::string_view json, std::initializer_list<std::string_view> known) {
        std::istringstream text{std::string(json)};
        try {
            boost::property_tree::read_json(text, tree_);
        } catch (const boost::property_tree::json_parser_error&) {
            throw std::invalid_argument("settings: must be a map");
        }
        for (const auto& [key, value] : tree_)
            if (std::find(known.begin(), known.end(), key) == known.end())
                throw std::invalid_argument("settings: \"" + key + "\" is no setting of this plugin; it has " +
                                            joined(known));
    }

    std::int64_t integer(const char* name, std::int64_t least, std::int64_t most) const {
        const auto value = tree_.get_optional<std::int64_t>(name);
        if (!value || *value < least || *value > most)
            throw std::invalid_argument(std::string("settings: ") + name + " must be an integer from " +
                                        std::to_string(least) + " to " + std::to_string(most));
        return *value;
    }
    std::int64_t integer_or(const char* name, std::int64_t otherwise, std::int64_t least, std::int64_t most) const {
        return has(name) ? integer(name, least, most) : otherwise;
    }
    bool boolean_or(const char* name, bool otherwise) const {
        if (!has(name)) return otherwise;
        const auto value = tree_.get<std::string>(name);
        if (value != "true" && value != "false")
            throw std::invalid_argument(std::string("settings: ") + name + " must be true or false");
        return value == "true";
    }

private:
    bool has(const char* name) const { return tree_.find(name) != tree_.not_found(); }
    static std::string joined(std::initializer_list<std::string_view> names) {
        if (names.size() == 0) return "none";
        std::string out;
        for (const std::string_view name : names) out += (out.empty() ? "" : ", ") + std::string(name);
        return out;
    }

    boost::property_tree::ptree tree_;
};

}  // namespace nfstreamd::plugins
