// SPDX-License-Identifier: Apache-2.0
// Texts as Python has them: octets decoded with replacement, lists of strings as
// str() prints them. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace nfstreamd::plugins {

// What is not UTF-8 becomes U+FFFD, one for each part that could have been the beginning of a character.
std::string decoded(std::string_view octets);

std::string list_text(const std::vector<std::string>& texts);  // "['a', \"it's\"]"

}  // namespace nfstreamd::plugins
