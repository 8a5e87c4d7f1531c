// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/plugin_values.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <variant>

#include "core/base/utf8.hpp"

namespace nfstreamd {
namespace {

constexpr std::uint32_t kLongestText = 65535, kLongestList = 16383;  // what fits a field of IPFIX

struct ToPlugin {
    nfd_value out{};

    void operator()(std::monostate) {}
    void operator()(const Unsigned128&) {}  // of older generations' columns alone
    void operator()(std::uint64_t value) {
        out.type = NFD_UNSIGNED;
        out.as.u = value;
    }
    void operator()(std::int64_t value) {
        out.type = NFD_SIGNED;
        out.as.i = value;
    }
    void operator()(double value) {
        out.type = NFD_FLOAT;
        out.as.f = value;
    }
    void operator()(bool value) {
        out.type = NFD_BOOLEAN;
        out.as.u = value ? 1 : 0;
    }
    void operator()(std::string_view text) {
        out.type = NFD_TEXT;
        out.length = length_of(text.size());
        out.as.text = text.empty() ? "" : text.data();
    }
    void operator()(const IpAddress& address) {
        if (address.version == 0) return;
        out.type = NFD_ADDRESS;
        out.length = address.version == 6 ? 16 : 4;
        std::copy_n(address.bytes.begin(), out.length, out.as.octets);
    }
    void operator()(const MacAddress& address) {
        out.type = NFD_MAC;
        out.length = 6;
        std::copy(address.begin(), address.end(), out.as.octets);
    }
    void operator()(std::span<const std::int32_t> list) {
        out.type = NFD_LIST;
        out.length = length_of(list.size());
        out.as.list = list.data();
    }
    static std::uint32_t length_of(std::size_t size) {
        return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
    }
};

// Plugins promise UTF-8; what is none must not spoil a file.
std::string_view valid_text(std::string_view text, Arena& arena) {
    if (is_valid_utf8(text)) return arena.copy(text);
    const auto clean = arena.array<char>(text.size());
    return {clean.data(), copy_valid_utf8(text, clean.data())};
}

void* copied(const void* from, std::size_t octets) {
    if (octets == 0) return nullptr;
    void* to = std::malloc(octets);
    if (to == nullptr) throw std::bad_alloc();
    std::memcpy(to, from, octets);
    return to;
}

}  // namespace

std::optional<IeType> field_type(std::uint32_t plugin_type) noexcept {
    switch (plugin_type) {
        case NFD_UNSIGNED:
            return IeType::kUnsigned64;
        case NFD_SIGNED:
            return IeType::kSigned64;
        case NFD_FLOAT:
            return IeType::kFloat64;
        case NFD_BOOLEAN:
            return IeType::kBoolean;
        case NFD_TEXT:
            return IeType::kString;
        case NFD_ADDRESS:
            return IeType::kIpAddress;
        case NFD_MAC:
            return IeType::kMacAddress;
        case NFD_LIST:
            return IeType::kSigned32List;
        case NFD_ANY:
            return IeType::kAny;
        default:
            return std::nullopt;
    }
}

nfd_value plugin_value(const FieldValue& value) noexcept {
    ToPlugin to;
    std::visit(to, value);
    return to.out;
}

bool is_sound(std::uint32_t field_type, const nfd_value& value) noexcept {
    if (field_type != NFD_ANY && value.type != field_type) return false;
    switch (value.type) {
        case NFD_UNSIGNED:
        case NFD_SIGNED:
        case NFD_FLOAT:
        case NFD_BOOLEAN:
            return true;
        case NFD_TEXT:
            return value.length <= kLongestText && (value.length == 0 || value.as.text != nullptr);
        case NFD_ADDRESS:
            return value.length == 4 || value.length == 16;
        case NFD_MAC:
            return value.length == 6;
        case NFD_LIST:
            return value.length <= kLongestList && (value.length == 0 || value.as.list != nullptr);
        default:
            return false;
    }
}

nfd_value kept(const nfd_value& value) {
    nfd_value copy = value;
    if (value.type == NFD_TEXT) copy.as.text = static_cast<const char*>(copied(value.as.text, value.length));
    if (value.type == NFD_LIST)
        copy.as.list = static_cast<const std::int32_t*>(copied(value.as.list, value.length * sizeof(std::int32_t)));
    return copy;
}

void release(nfd_value& value) noexcept {
    if (value.type == NFD_TEXT) std::free(const_cast<char*>(value.as.text));
    if (value.type == NFD_LIST) std::free(const_cast<std::int32_t*>(value.as.list));
    value = {};
}

FieldValue field_value(const nfd_value& value, Arena& arena) {
    switch (value.type) {
        case NFD_UNSIGNED:
            return value.as.u;
        case NFD_SIGNED:
            return value.as.i;
        case NFD_FLOAT:
            return value.as.f;
        case NFD_BOOLEAN:
            return value.as.u != 0;
        case NFD_TEXT:
            return valid_text({value.as.text, value.length}, arena);
        case NFD_ADDRESS: {
            IpAddress address;
            address.version = value.length == 16 ? 6 : 4;
            std::copy_n(value.as.octets, value.length, address.bytes.begin());
            return address;
        }
        case NFD_MAC: {
            MacAddress address;
            std::copy_n(value.as.octets, address.size(), address.begin());
            return address;
        }
        case NFD_LIST: {
            const auto list = arena.array<std::int32_t>(value.length);
            std::copy_n(value.as.list, value.length, list.begin());
            return std::span<const std::int32_t>(list);
        }
        default:
            return {};
    }
}

}  // namespace nfstreamd
