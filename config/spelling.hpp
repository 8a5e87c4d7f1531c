// SPDX-License-Identifier: Apache-2.0
// What an operator probably meant by a word we do not know. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace nfstreamd::config {

// ", did you mean idle_timeout?", or what there is to choose from: "; known: a, b".
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace nfstreamd::config
