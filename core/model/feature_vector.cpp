// SPDX-License-Identifier: Apache-2.0
#include "core/model/feature_vector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include "core/metering/field_groups.hpp"
#include "core/plugin/plugin_text.hpp"

namespace nfstreamd {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr float kNoSuchPacket = -1;  // what nfstream fills its sequences with

Error fault(const std::string& feature, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("feature \"{}\" {}", plugin_text(feature), what), ""};
}

const InformationElement* find(std::string_view name, const FieldSelection& declared) {
    FieldGroups groups;
    groups.declared = declared;
    return find_field(name, groups);
}

// "splt_ps.3", or "splt_ps_3": the list and the place in it.
struct ListElement {
    std::string_view list;
    std::size_t element;
};
std::optional<ListElement> split(std::string_view name) {
    const auto cut = name.find_last_of("._");
    if (cut == std::string_view::npos) return std::nullopt;
    const std::string_view digits = name.substr(cut + 1);
    std::size_t element = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), element);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return ListElement{name.substr(0, cut), element};
}

bool is_number(IeType type) {
    switch (type) {
        case IeType::kUnsigned8:
        case IeType::kUnsigned16:
        case IeType::kUnsigned32:
        case IeType::kUnsigned64:
        case IeType::kSigned32:
        case IeType::kSigned64:
        case IeType::kFloat64:
        case IeType::kBoolean:
        case IeType::kDateTimeMilliseconds:
        case IeType::kAny:  // of a plugin, which may give something else: it is missing then
            return true;
        default:
            return false;
    }
}

struct AsNumber {
    std::size_t element;

    float operator()(std::uint64_t value) const { return static_cast<float>(value); }
    float operator()(std::int64_t value) const { return static_cast<float>(value); }
    float operator()(double value) const { return static_cast<float>(value); }
    float operator()(bool value) const { return value ? 1 : 0; }
    float operator()(std::span<const std::int32_t> values) const {
        return element < values.size() ? static_cast<float>(values[element]) : kNoSuchPacket;
    }
    template <class Other>
    float operator()(const Other&) const {
        return kMissing;
    }
};

}  // namespace

Result<FeatureVector::Column> FeatureVector::column(const std::string& name, const FieldSelection& declared) {
    if (const InformationElement* field = find(name, declared)) {
        if (is_list(field->type))
            return fault(name, fmt::format("is a list: name its elements, \"{0}.0\" \"{0}.1\" ...", name));
        if (!is_number(field->type)) return fault(name, "is no number: train without it");
        return Column{field, 0, name};
    }
    if (const auto element = split(name))
        if (const InformationElement* list = find(element->list, declared); list != nullptr && is_list(list->type))
            return Column{list, element->element, name};
    return fault(name,
                 "is no field of nfstreamd and of no plugin of this configuration: train with the columns that "
                 "nfstreamd --list-fields names, or name them in `features`");
}

Result<FeatureVector> FeatureVector::of(const std::vector<std::string>& names, const FieldSelection& declared) {
    FeatureVector features;
    for (const std::string& name : names) {
        auto found = column(name, declared);
        if (!found) return found.error();
        features.columns_.push_back(std::move(found.value()));
    }
    return features;
}

Status FeatureVector::check(const MeteringOptions& options) const {
    const FieldGroups groups = field_groups(options);
    for (const Column& column : columns_) {
        if (column.field->group == IeGroup::kDeclared) continue;  // which `declared` had
        if (const auto selected = select_fields({std::string(column.field->column)}, {}, groups); !selected)
            return fault(column.name, fmt::format("is not metered: {}", selected.error().message));
        if (column.field->group == IeGroup::kSplt && column.element >= options.splt_analysis)
            return fault(column.name, fmt::format("is not metered: it needs metering.splt_analysis: {} or more",
                                                  column.element + 1));
    }
    return ok();
}

void FeatureVector::read(const FlowRecord& record, std::span<float> row) const noexcept {
    for (std::size_t i = 0; i < columns_.size(); ++i)
        row[i] = std::visit(AsNumber{columns_[i].element}, columns_[i].field->value(record));
}

}  // namespace nfstreamd
