// SPDX-License-Identifier: Apache-2.0
// Values as pseudonyms, as nfstream makes them: keyed BLAKE2b of the value's
// text in Python, 128 hexadecimal digits. Who has the key can tell whether a
// value is behind a pseudonym; nobody else can. Const after construction, so
// any thread may use it.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/record/information_element.hpp"

namespace nfstreamd::exporters {

class Anonymizer {
public:
    static constexpr std::size_t kKeySize = 64;
    static constexpr std::size_t kShortestSecret = 16;  // characters
    using Key = std::array<std::uint8_t, kKeySize>;
    using Buffer = std::array<char, 128>;

    // 128 hexadecimal digits are the key itself; of any other text, not too short
    // to be guessed, it is the BLAKE2b digest. Without a secret it is random, and
    // the same until the process ends.
    static Result<Key> make_key(std::string_view secret);

    // The columns are names or element names, as `fields` has them.
    static Result<std::unique_ptr<Anonymizer>> make(std::vector<std::string> columns, const Key& key);
    ~Anonymizer();

    // For each field, whether its values get pseudonyms.
    std::vector<bool> covered(std::span<const InformationElement* const> fields) const;

    // As text in the buffer; what is absent stays absent.
    FieldValue pseudonym(const FieldValue& value, Buffer& buffer) const;

private:
    struct Mac;  // OpenSSL's
    Anonymizer(std::vector<std::string> columns, std::unique_ptr<Mac> mac);

    const std::vector<std::string> columns_;
    const std::unique_ptr<Mac> mac_;
};

}  // namespace nfstreamd::exporters
