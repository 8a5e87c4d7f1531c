// SPDX-License-Identifier: Apache-2.0
// Command line options as a table, for both programs: getopt's syntax (-x VALUE,
// -xVALUE, --long=VALUE, clusters of flags, "--"), plus options that take
// several values up to the next option. Pure.
#pragma once
#include <fmt/format.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd::daemon {

enum class OptionValue { kNone, kOne, kSeveral };

template <class Target>
struct OptionRow {
    char short_name;             // 0: none
    std::string_view long_name;  // without dashes
    OptionValue value;
    std::string_view placeholder;  // "FILE"; with its dots for kSeveral
    std::string_view help;         // one or more lines
    Status (*apply)(Target&, std::string value);
};

// A row as others than the parser see it: manual pages, shell completion.
struct OptionText {
    char short_name;
    std::string_view long_name;
    OptionValue value;
    std::string_view placeholder;
    std::string_view help;
};

template <class Target>
std::vector<OptionText> option_texts(std::span<const OptionRow<Target>> rows) {
    std::vector<OptionText> texts;
    for (const auto& row : rows) texts.push_back({row.short_name, row.long_name, row.value, row.placeholder, row.help});
    return texts;
}

template <class Target>
class OptionParser {
public:
    OptionParser(std::span<const OptionRow<Target>> rows, Target& target) : rows_(rows), target_(target) {}

    // `positional` takes what belongs to no option; it may refuse it.
    Status parse(std::span<const std::string> arguments, const std::function<Status(std::string)>& positional) {
        bool options_end = false;
        const OptionRow<Target>* several = nullptr;  // the option that words without a dash go to
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const std::string& word = arguments[i];
            if (options_end || word.size() < 2 || word[0] != '-') {
                auto taken = several ? several->apply(target_, word) : positional(word);
                if (!taken) return taken;
            } else if (word == "--") {
                options_end = true;
            } else {
                several = nullptr;
                auto taken = word[1] == '-' ? long_option(word, arguments, i, several)
                                            : short_options(word, arguments, i, several);
                if (!taken) return taken;
            }
        }
        return ok();
    }

private:
    Status long_option(const std::string& word, std::span<const std::string> arguments, std::size_t& i,
                       const OptionRow<Target>*& several) {
        const auto equals = word.find('=');
        const std::string_view name = std::string_view(word).substr(2, equals == word.npos ? word.npos : equals - 2);
        for (const auto& row : rows_) {
            if (row.long_name != name) continue;
            if (equals == word.npos) return take(row, fmt::format("--{}", name), arguments, i, several);
            if (row.value == OptionValue::kNone) return refuse("option --{} takes no value", name);
            return take_value(row, word.substr(equals + 1), several);
        }
        return refuse("unknown option --{}", name);
    }

    Status short_options(const std::string& word, std::span<const std::string> arguments, std::size_t& i,
                         const OptionRow<Target>*& several) {
        for (std::size_t at = 1; at < word.size(); ++at) {
            const OptionRow<Target>* found = nullptr;
            for (const auto& row : rows_)
                if (row.short_name == word[at]) found = &row;
            if (!found) return refuse("unknown option -{}", word.substr(at, 1));
            if (found->value != OptionValue::kNone && at + 1 < word.size())
                return take_value(*found, word.substr(at + 1), several);
            auto taken = take(*found, fmt::format("-{}", word[at]), arguments, i, several);
            if (!taken || found->value != OptionValue::kNone) return taken;
        }
        return ok();
    }

    Status take(const OptionRow<Target>& row, const std::string& written, std::span<const std::string> arguments,
                std::size_t& i, const OptionRow<Target>*& several) {
        if (row.value == OptionValue::kNone) return row.apply(target_, {});
        // a lone "-" is a value (standard input or output), "-x" is the next option
        const bool there = i + 1 < arguments.size() && (arguments[i + 1].size() < 2 || arguments[i + 1][0] != '-');
        if (!there) return refuse("option {} needs a value: {}", written, row.placeholder);
        return take_value(row, arguments[++i], several);
    }

    Status take_value(const OptionRow<Target>& row, std::string value, const OptionRow<Target>*& several) {
        if (row.value == OptionValue::kSeveral) several = &row;
        return row.apply(target_, std::move(value));
    }

    template <class... Arguments>
    static Status refuse(std::string_view format, const Arguments&... arguments) {
        return Error{ErrorCode::kInvalidArgument, fmt::format(fmt::runtime(format), arguments...), ""};
    }

    std::span<const OptionRow<Target>> rows_;
    Target& target_;
};

template <class Target>
std::string options_text(std::span<const OptionRow<Target>> rows) {
    std::string text;
    for (const auto& row : rows) {
        std::string names = row.short_name ? fmt::format("-{}, ", row.short_name) : std::string("    ");
        names += fmt::format("--{}", row.long_name);
        if (!row.placeholder.empty()) names += fmt::format(" {}", row.placeholder);
        std::string_view help = row.help;
        bool first = true;
        while (first || !help.empty()) {
            const auto end = help.find('\n');
            // a name too long for its column stands on a line of its own
            if (first && names.size() > 22) {
                text += fmt::format("  {}\n", names);
                names.clear();
            }
            text += fmt::format("  {:<22}  {}\n", names, help.substr(0, end));
            names.clear();
            first = false;
            help = end == help.npos ? std::string_view() : help.substr(end + 1);
        }
    }
    return text;
}

}  // namespace nfstreamd::daemon
