// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include <cassert>

namespace nfstreamd::config {
namespace {

// Of a value that its table lacks or has with another type: a bug of the caller.
template <class T>
const T& as(const SettingValue& value) {
    assert(std::holds_alternative<T>(value) && "a setting asked for by the wrong type, or one without a value");
    return std::get<T>(value);
}

}  // namespace

bool Settings::boolean(std::string_view name) const {
    return as<bool>(value(name));
}

std::int64_t Settings::integer(std::string_view name) const {
    return as<std::int64_t>(value(name));
}

double Settings::number(std::string_view name) const {
    return as<double>(value(name));
}

std::chrono::milliseconds Settings::duration(std::string_view name) const {
    return as<std::chrono::milliseconds>(value(name));
}

bool Settings::has_value(std::string_view name) const {
    return !std::holds_alternative<std::monostate>(value(name));
}

const std::string& Settings::string(std::string_view name) const {
    return as<std::string>(value(name));
}

const std::vector<std::string>& Settings::strings(std::string_view name) const {
    return as<std::vector<std::string>>(value(name));
}

bool Settings::given(std::string_view name) const {
    const auto found = entries_.find(name);
    assert(found != entries_.end() && "no such setting in the table");
    return found != entries_.end() && found->second.given;
}

std::string Settings::where(std::string_view name) const {
    const auto found = entries_.find(name);
    assert(found != entries_.end() && "no such setting in the table");
    const bool placed = found != entries_.end() && found->second.given && !found->second.where.empty();
    return placed ? found->second.where : origin_;
}

void Settings::set(std::string name, SettingValue value, std::string where, bool given) {
    assert(!name.empty());
    entries_.insert_or_assign(std::move(name), Entry{std::move(value), std::move(where), given});
}

const SettingValue& Settings::value(std::string_view name) const {
    static const SettingValue kNone;
    const auto found = entries_.find(name);
    assert(found != entries_.end() && "no such setting in the table");
    return found == entries_.end() ? kNone : found->second.value;
}

bool operator==(const Settings& a, const Settings& b) {
    if (a.entries_.size() != b.entries_.size()) return false;
    for (auto i = a.entries_.begin(), j = b.entries_.begin(); i != a.entries_.end(); ++i, ++j) {
        if (i->first != j->first || i->second.value != j->second.value) return false;
    }
    return true;
}

}  // namespace nfstreamd::config
