// SPDX-License-Identifier: Apache-2.0
// Flow records with any value in every member, all blocks included; and whether
// two are the same.
#pragma once
#include <bit>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "core/record/declared_fields.hpp"
#include "core/record/flow_record.hpp"
#include "core/record/information_element.hpp"
#include "core/record/record_members.hpp"
#include "core/record/template.hpp"

namespace nfstreamd::test {

// A field of each type that can be declared.
inline FieldSelection declared_fields() {
    static const FieldSelection kAll = [] {
        FieldSelection made;
        for (const auto& [column, type] : {std::pair{"udps.test_unsigned", IeType::kUnsigned64},
                                           {"udps.test_signed", IeType::kSigned64},
                                           {"udps.test_float", IeType::kFloat64},
                                           {"udps.test_boolean", IeType::kBoolean},
                                           {"udps.test_mac", IeType::kMacAddress},
                                           {"udps.test_address", IeType::kIpAddress},
                                           {"udps.test_text", IeType::kString},
                                           {"udps.test_any", IeType::kAny},
                                           {"udps.test_list", IeType::kSigned32List}})
            made.push_back(declare_field({.column = column, .type = type, .description = "A test's."}).value());
        return made;
    }();
    return kAll;
}

class RandomRecords {
public:
    explicit RandomRecords(std::uint64_t seed) : random_(seed) {}

    // Ids ascend from `first_id`.
    std::shared_ptr<RecordBatch> batch(std::uint64_t first_id, std::size_t count) {
        auto batch = std::make_shared<RecordBatch>();
        arena_ = &batch->arena;
        for (std::size_t i = 0; i < count; ++i) {
            auto& record = batch->records.emplace_back();
            fill(record);
            record.id = first_id + i;
        }
        return batch;
    }

    template <class... Members>
    void operator()(std::string_view, Members&... members) {
        (fill(members), ...);
    }

private:
    std::uint64_t word() { return random_() >> random_() % 64; }  // of any length

    template <class T>
    void fill(T& value) {
        if constexpr (std::is_same_v<T, bool>)
            value = word() & 1;
        else if constexpr (std::is_same_v<T, EndReason>)
            value = static_cast<T>(random_() % kEndReasons);
        else if constexpr (std::is_enum_v<T>)
            value = static_cast<T>(random_() % 3);
        else if constexpr (std::is_integral_v<T>)
            value = static_cast<T>(random_() % 2 ? word() : 0 - word());
        else if constexpr (std::is_floating_point_v<T>)
            value = static_cast<double>(word()) / 7;
        else if constexpr (std::is_same_v<T, std::string_view>)
            value = arena_->copy(std::string(random_() % 4 ? random_() % 20 : 0, static_cast<char>(random_())));
        else if constexpr (std::is_same_v<T, MacAddress>)
            for (auto& octet : value) octet = static_cast<std::uint8_t>(random_());
        else if constexpr (std::is_same_v<T, IpAddress>)
            fill_address(value);
        else if constexpr (std::is_same_v<T, std::span<const std::int32_t>>)
            fill_list(value);
        else if constexpr (std::is_same_v<T, std::span<const DeclaredValue>>)
            fill_declared(value);
        else if constexpr (std::is_pointer_v<T>)
            fill_block(value);
        else if constexpr (std::is_array_v<T>)
            for (auto& element : value) fill(element);
        else
            visit_members(*this, value);
    }
    void fill_address(IpAddress& address) {
        address.version = std::array<std::uint8_t, 3>{0, 4, 6}[random_() % 3];
        for (std::size_t i = 0; i < (address.version == 4 ? 4 : address.version == 6 ? 16 : 0); ++i)
            address.bytes[i] = static_cast<std::uint8_t>(random_());
    }
    void fill_list(std::span<const std::int32_t>& list) {
        const auto elements = arena_->array<std::int32_t>(random_() % 12);
        for (auto& element : elements) fill(element);
        list = elements;
    }
    void fill_declared(std::span<const DeclaredValue>& values) {
        const auto fields = declared_fields();
        const auto made = arena_->array<DeclaredValue>(random_() % 3 ? 0 : fields.size());
        std::size_t i = 0;
        for (DeclaredValue& value : made)
            new (&value) DeclaredValue{fields[i]->value.declared, any_value(fields[i]->type)}, ++i;
        values = made;
    }
    FieldValue any_value(IeType type) {
        const auto filled = [this](auto value) {
            fill(value);
            return FieldValue(value);
        };
        switch (type) {
            case IeType::kUnsigned64:
                return filled(std::uint64_t{});
            case IeType::kSigned64:
                return filled(std::int64_t{});
            case IeType::kFloat64:
                return filled(double{});
            case IeType::kBoolean:
                return filled(bool{});
            case IeType::kMacAddress:
                return filled(MacAddress{});
            case IeType::kIpAddress:
                return filled(IpAddress{});
            case IeType::kSigned32List:
                return filled(std::span<const std::int32_t>{});
            default:
                return filled(std::string_view{});
        }
    }
    template <class Block>
    void fill_block(const Block*& pointer) {
        if (random_() % 4 == 0) return;
        auto* block = arena_->make<Block>();
        fill(*block);
        pointer = block;
    }

    std::mt19937_64 random_;
    Arena* arena_ = nullptr;
};

inline bool same_value(const FieldValue& a, const FieldValue& b) {
    if (a.index() != b.index()) return false;
    if (const auto* list = std::get_if<std::span<const std::int32_t>>(&a)) {
        const auto& other = std::get<std::span<const std::int32_t>>(b);
        return std::equal(list->begin(), list->end(), other.begin(), other.end());
    }
    return std::visit(
        [&](const auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::span<const std::int32_t>>)
                return false;
            else if constexpr (std::is_same_v<T, double>)
                return std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(std::get<double>(b));
            else
                return value == std::get<T>(b);
        },
        a);
}

// The column in which they differ; empty: they are the same.
inline std::string_view difference(const FlowRecord& a, const FlowRecord& b) {
    for (const auto& element : builtin_elements())
        if (!same_value(element.value(a), element.value(b))) return element.column;
    for (const InformationElement* element : declared_fields())
        if (!same_value(element->value(a), element->value(b))) return element->column;
    return {};
}

}  // namespace nfstreamd::test
