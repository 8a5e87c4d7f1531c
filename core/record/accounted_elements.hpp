// SPDX-License-Identifier: Apache-2.0
// Fields that are measured as accounting_mode says: which element carries them in
// IPFIX goes by what is measured. Const; any thread.
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "core/record/information_element.hpp"

namespace nfstreamd {

// What sizes are of. nfstream's mode 1 leaves the header of IPv6 out, and so has
// elements of IP packets for IPv4 alone; mode 2 has none.
enum class Accounted : std::uint8_t { kLink, kIp, kPayload, kOther };
Accounted accounted(int accounting_mode, int ip_version) noexcept;

struct NamedElement {
    IeId ie;  // none where another field says the same
    std::string_view name;
};

struct AccountedElements {
    std::string_view column;
    std::array<NamedElement, 4> by_kind;  // in the order of Accounted

    const NamedElement& of(Accounted kind) const { return by_kind[static_cast<std::size_t>(kind)]; }
};

std::span<const AccountedElements> accounted_elements() noexcept;
const AccountedElements* find_accounted(std::string_view column) noexcept;  // null: one element in all modes

}  // namespace nfstreamd
