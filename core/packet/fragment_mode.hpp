// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nfstreamd {

// kFirst: fragments after the first are ignored and counted, as nfstream does.
// kAll: they are metered with the ports of their first fragment.
enum class FragmentMode { kFirst, kAll };

}  // namespace nfstreamd
