// SPDX-License-Identifier: Apache-2.0
// expression = all { ("or" | "||") all }
// all        = one { ("and" | "&&") one }
// one        = ("not" | "!") one | "(" expression ")" | comparison
// comparison = field operator value | field ["not"] "in" (value | "[" value { "," value } "]")
//            | field, when it is true or false
#include "core/record/filter_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "core/record/filter_token.hpp"

namespace nfstreamd {

class FilterParser {
public:
    FilterParser(std::string_view text, const FieldGroups& groups) : text_(text), groups_(groups) { advance(); }

    Result<FilterExpression> parse() {
        auto root = any(0);
        if (!root) return root.error();
        if (token_.kind != FilterTokenKind::kEnd) return expected("and, or, or the end");
        made_.root_ = root.value();
        return std::move(made_);
    }

private:
    using Kind = FilterExpression::Kind;
    using Node = FilterExpression::Node;
    using Index = Result<std::uint32_t>;

    void advance() { token_ = next_filter_token(text_, offset_); }
    bool take_symbol(std::string_view symbol) {
        if (!token_.is_symbol(symbol)) return false;
        advance();
        return true;
    }
    bool take_keyword(std::string_view keyword) {
        if (!token_.is_keyword(keyword)) return false;
        advance();
        return true;
    }

    Error at(std::size_t offset, std::string_view message) const {
        return {ErrorCode::kInvalidArgument, fmt::format("column {}: {}", filter_column(text_, offset), message), ""};
    }
    Error expected(std::string_view what) const {
        if (token_.kind == FilterTokenKind::kBad) return at(token_.offset, token_.text);
        return at(token_.offset, fmt::format("expected {}, found {}", what, token_.shown()));
    }

    std::uint32_t add(Node node) {
        made_.nodes_.push_back(std::move(node));
        return static_cast<std::uint32_t>(made_.nodes_.size() - 1);
    }

    Index any(int depth) { return chain(Kind::kAny, depth); }

    // One level of the grammar: parts with "or" between them, or with "and".
    Index chain(Kind kind, int depth) {
        Node node;
        node.kind = kind;
        do {
            auto part = kind == Kind::kAny ? chain(Kind::kAll, depth) : one(depth);
            if (!part) return part;
            node.parts.push_back(part.value());
        } while (kind == Kind::kAny ? take_keyword("or") || take_symbol("||")
                                    : take_keyword("and") || take_symbol("&&"));
        return node.parts.size() == 1 ? Index(node.parts.front()) : Index(add(std::move(node)));
    }

    Index one(int depth) {
        if (depth >= FilterExpression::kDeepest)
            return at(token_.offset,
                      fmt::format("more than {} parentheses or negations in one another", FilterExpression::kDeepest));
        if (take_keyword("not") || take_symbol("!")) {
            auto part = one(depth + 1);
            if (!part) return part;
            Node node;
            node.kind = Kind::kNot;
            node.parts.push_back(part.value());
            return add(std::move(node));
        }
        if (take_symbol("(")) {
            auto inner = any(depth + 1);
            if (!inner) return inner;
            if (!take_symbol(")")) return expected("and, or, or )");
            return inner;
        }
        return comparison();
    }

    Result<const InformationElement*> field() {
        if (token_.kind != FilterTokenKind::kWord) return expected("a field");
        const InformationElement* found = find_field(token_.text, groups_);
        if (found == nullptr)
            return at(token_.offset,
                      fmt::format("there is no field {}; nfstreamd --list-fields names them", token_.shown()));
        // says which setting turns the field's group on
        const auto usable = select_fields({std::string(found->column)}, {}, groups_);
        if (!usable) return at(token_.offset, usable.error().message);
        advance();
        return found;
    }

    std::optional<FilterOperator> operator_here() const {
        struct Row {
            std::string_view symbol;
            FilterOperator op;
        };
        constexpr Row kOperators[] = {{"==", FilterOperator::kEqual},  {"!=", FilterOperator::kNotEqual},
                                      {"<", FilterOperator::kLess},    {"<=", FilterOperator::kLessEqual},
                                      {">", FilterOperator::kGreater}, {">=", FilterOperator::kGreaterEqual},
                                      {"~", FilterOperator::kContains}};
        if (token_.is_keyword("contains")) return FilterOperator::kContains;
        for (const Row& row : kOperators)
            if (token_.is_symbol(row.symbol)) return row.op;
        return std::nullopt;
    }

    Index comparison() {
        Node node;
        auto found = field();
        if (!found) return found.error();
        node.field = found.value();
        const std::size_t operator_offset = token_.offset;
        if (const auto op = operator_here()) {
            if (const auto takes = check_filter_operator(*node.field, *op); !takes)
                return at(operator_offset, takes.error().message);
            node.op = *op;
            advance();
            if (auto status = value(node); !status) return status.error();
            return add(std::move(node));
        }
        node.negated = take_keyword("not");
        if (take_keyword("in")) {
            if (const auto takes = check_filter_operator(*node.field, node.op); !takes)
                return at(operator_offset, takes.error().message);
            if (auto status = values(node); !status) return status.error();
            return add(std::move(node));
        }
        if (!node.negated && filter_kind(*node.field) == FilterKind::kBoolean) {
            node.values.push_back(parse_filter_value(*node.field, "true").value());
            return add(std::move(node));
        }
        return expected(node.negated ? "in" : "an operator: == != < <= > >= ~ contains in");
    }

    Status values(Node& node) {
        if (!take_symbol("[")) return value(node);
        do {
            if (auto status = value(node); !status) return status;
        } while (take_symbol(","));
        if (!take_symbol("]")) return expected(", or ]");
        return ok();
    }

    Status value(Node& node) {
        if (token_.kind != FilterTokenKind::kWord && token_.kind != FilterTokenKind::kQuoted)
            return expected("a value");
        static constexpr std::array<std::string_view, 5> kKeywords{"and", "or", "not", "in", "contains"};
        for (const std::string_view keyword : kKeywords)
            if (token_.is_keyword(keyword)) return expected("a value (in quotes if this is one)");
        auto parsed = parse_filter_value(*node.field, token_.text);
        if (!parsed) return at(token_.offset, parsed.error().message);
        node.values.push_back(std::move(parsed.value()));
        advance();
        return ok();
    }

    const std::string_view text_;
    const FieldGroups& groups_;
    std::size_t offset_ = 0;
    FilterToken token_;
    FilterExpression made_;
};

Result<FilterExpression> FilterExpression::parse(std::string_view text, const FieldGroups& groups) {
    if (text.size() > kLongest)
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("column {}: an expression has {} octets at most", kLongest + 1, kLongest), ""};
    return FilterParser(text, groups).parse();
}

bool FilterExpression::uses(IeGroup group) const noexcept {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [&](const Node& node) { return node.field != nullptr && node.field->group == group; });
}

bool FilterExpression::holds(std::uint32_t index, const FlowRecord& record) const noexcept {
    const Node& node = nodes_[index];
    const auto holds_part = [&](std::uint32_t part) { return holds(part, record); };
    switch (node.kind) {
        case Kind::kAll:
            return std::all_of(node.parts.begin(), node.parts.end(), holds_part);
        case Kind::kAny:
            return std::any_of(node.parts.begin(), node.parts.end(), holds_part);
        case Kind::kNot:
            return !holds(node.parts.front(), record);
        case Kind::kComparison:
            break;
    }
    const FieldValue value = node.field->value(record);
    return node.negated != std::any_of(node.values.begin(), node.values.end(), [&](const FilterValue& wanted) {
               return filter_matches(value, node.op, wanted);
           });
}

}  // namespace nfstreamd
