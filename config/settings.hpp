// SPDX-License-Identifier: Apache-2.0
// A table of settings that a component understands, and a typed view of what
// the operator wrote. The table validates, fills defaults, and prints the docs.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd::config {

enum class SettingType {
    kBool,
    kInteger,
    kNumber,
    kDuration,
    kSize,
    kString,
    kStringList,
    kChoice,  // one of `choices`
    kSecret,  // a string that --print-config masks
    kTree,    // anything; its value is the text of it in JSON
};
enum class Reload { kLive, kReopen, kRestart };  // what a change of this setting costs

struct SettingSpec {
    std::string_view name;  // "idle_timeout"; "timeouts.udp" is the key udp in the map timeouts
    SettingType type;
    std::string_view default_value;  // as written in YAML; "" : none
    bool required = false;
    Reload reload = Reload::kReopen;
    std::string_view description = {};  // one sentence, goes to REFERENCE.md
    double min = 0, max = 0;            // kInteger, kNumber, kSize, kDuration (seconds); min == max: no bounds
    // "first all": one of them for kChoice, any of them for kStringList, where true and false stand alone;
    // kInteger and kDuration: one word for no value, "off"
    std::string_view choices = {};
    bool negative_is_zero = false;  // kDuration
};

using SettingValue = std::variant<std::monostate, bool, std::int64_t, double, std::chrono::milliseconds, std::string,
                                  std::vector<std::string>>;

// Values already checked against their SettingSpec, defaults filled in. Asking
// for a name that its table lacks, or by the wrong type, is a bug (assert).
class Settings {
public:
    bool boolean(std::string_view name) const;
    std::int64_t integer(std::string_view name) const;  // kInteger, kSize
    double number(std::string_view name) const;
    std::chrono::milliseconds duration(std::string_view name) const;
    bool has_value(std::string_view name) const;  // false: not given and without default, or the word for none
    const std::string& string(std::string_view name) const;  // kString, kChoice, kSecret, kTree; "" when not given
    const std::vector<std::string>& strings(std::string_view name) const;
    bool given(std::string_view name) const;         // written by the operator
    std::string where(std::string_view name) const;  // "nfstreamd.yaml:14:5", or where the block began

    void set(std::string name, SettingValue value, std::string where, bool given);
    void set_origin(std::string where) { origin_ = std::move(where); }
    friend bool operator==(const Settings& a, const Settings& b);  // values only, not places

private:
    struct Entry {
        SettingValue value;
        std::string where;
        bool given = false;
    };
    const SettingValue& value(std::string_view name) const;

    std::map<std::string, Entry, std::less<>> entries_;
    std::string origin_;
};

// A group of settings of one component, as the exporters hand theirs in.
struct ExporterSchema {
    std::string_view type;  // "ipfix"
    std::string_view summary;
    std::span<const SettingSpec> settings;
};

}  // namespace nfstreamd::config
