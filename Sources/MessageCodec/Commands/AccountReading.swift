import CanonicalJSON
import PaymentModel

/// An account whose fields have the right types. It is not verified yet, because a wrong account is told only when the
/// form of everything is right.
struct AccountDraft {
    var node: JSONNode
    var form: AccountForm
    var number: String
    var clearing: [String]
    var aliasType: AccountVerification.AliasType?
    var hasAgent = false

    /// The country that the form tells.
    var country: String? {
        switch form {
        case .iban: String(decoding: number.utf8.prefix(2), as: UTF8.self)
        case .us: "US"
        case .uk: "GB"
        case .ca: "CA"
        case .jp: "JP"
        case .bare, .alias: nil
        }
    }
}

extension FormReader {
    /// Debtor or creditor, by type and presence of fields, without its account; nil where it has no name.
    /// - Parameter isRequired: whether it must be there, with name and account.
    func party(
        _ name: StaticString, isRequired: Bool, _ account: inout AccountDraft?
    ) throws(Refused) -> Party? {
        guard let node = try object(data, name) else {
            if isRequired { throw fail("is missing", at: data, name) }
            return nil
        }
        let fullName = try text(node, "name", limit: TextLimit.name)
        if fullName == nil, isRequired { throw fail("is missing", at: node, "name") }
        let agentBIC = try agentBIC(node)
        let country = try country(node)
        if let accountNode = try object(node, "account") {
            account = try self.account(accountNode, hasAgent: agentBIC != nil)
        } else if isRequired {
            throw fail("is missing", at: node, "account")
        }
        guard let fullName else { return nil }
        return Party(
            name: Personal(fullName), account: nil, agentBIC: agentBIC,
            country: country ?? account?.country
                ?? agentBIC.map { String(decoding: $0.utf8.dropFirst(4).prefix(2), as: UTF8.self) })
    }

    private func agentBIC(_ party: JSONNode) throws(Refused) -> String? {
        guard let agent = try object(party, "agent"), let node = document.member(agent, "bic") else { return nil }
        guard let bic = document.string(node) else { throw fail("must be a string", at: node) }
        guard AccountVerification.isBIC(bic) else { throw fail("is no BIC", at: node) }
        return bic
    }

    /// The country of the party's address, of which nothing else is read.
    private func country(_ party: JSONNode) throws(Refused) -> String? {
        guard let address = try object(party, "address") else { return nil }
        var country: String?
        if let node = document.member(address, "country") {
            guard let text = document.string(node), CountryTable.contains(text) else {
                throw fail("is no country of ISO 3166", at: node)
            }
            country = text
        }
        try checkText(address, "townName", limit: TextLimit.name)
        try checkText(address, "postCode", limit: TextLimit.code)
        return country
    }

    /// Exactly one way to name the account: two would leave open where the money goes.
    private func account(_ node: JSONNode, hasAgent: Bool) throws(Refused) -> AccountDraft {
        let iban = try text(node, "iban", limit: TextLimit.account)
        let number = try text(node, "accountNumber", limit: TextLimit.account)
        let alias = try object(node, "alias")
        guard (iban == nil ? 0 : 1) + (number == nil ? 0 : 1) + (alias == nil ? 0 : 1) <= 1 else {
            throw fail("must have one of iban, accountNumber and alias", at: node)
        }
        if let iban { return AccountDraft(node: node, form: .iban, number: iban, clearing: []) }
        if let alias {
            let typeNode = try required(alias, "type")
            guard let name = document.string(typeNode), let type = AccountVerification.AliasType(named: name) else {
                throw fail("must be one of email, phone, pix", at: typeNode)
            }
            let value = try requiredText(alias, "value", limit: TextLimit.account)
            return AccountDraft(
                node: node, form: .alias, number: value, clearing: [type.rawValue], aliasType: type)
        }
        guard let number else { throw fail("must have one of iban, accountNumber and alias", at: node) }
        var draft = try domestic(node, number)
        draft.hasAgent = hasAgent
        return draft
    }

    private func domestic(_ node: JSONNode, _ number: String) throws(Refused) -> AccountDraft {
        let us = try text(node, "routingNumber", limit: TextLimit.code)
        let uk = try text(node, "sortCode", limit: TextLimit.code)
        let ca = try pair(node, "institutionNumber", "transitNumber")
        let jp = try pair(node, "bankCode", "branchCode")
        guard [us != nil, uk != nil, ca != nil, jp != nil].count(where: { $0 }) <= 1 else {
            throw fail("must have the clearing code of one country", at: node)
        }
        if let us { return AccountDraft(node: node, form: .us, number: number, clearing: [us]) }
        if let uk { return AccountDraft(node: node, form: .uk, number: number, clearing: [uk]) }
        if let ca { return AccountDraft(node: node, form: .ca, number: number, clearing: ca) }
        if let jp { return AccountDraft(node: node, form: .jp, number: number, clearing: jp) }
        return AccountDraft(node: node, form: .bare, number: number, clearing: [])
    }

    private func pair(
        _ node: JSONNode, _ first: StaticString, _ second: StaticString
    ) throws(Refused) -> [String]? {
        let left = try text(node, first, limit: TextLimit.code)
        let right = try text(node, second, limit: TextLimit.code)
        if left == nil, right == nil { return nil }
        guard let left else { throw fail("is missing", at: node, first) }
        guard let right else { throw fail("is missing", at: node, second) }
        return [left, right]
    }

    /// Verifies an account by form, throws `invalid-account` with the field that is wrong.
    func verified(_ draft: AccountDraft) throws(Refused) -> Account {
        let number = Personal(draft.number)
        func check(_ valid: Bool, _ name: StaticString, _ message: String) throws(Refused) {
            if !valid { throw fail(.invalidAccount, message, at: draft.node, name) }
        }
        switch draft.form {
        case .iban:
            try check(IBANVerification.isValid(draft.number), "iban", "is no IBAN")
            return Account(form: .iban, number: number)
        case .us:
            try check(AccountVerification.isRoutingNumber(draft.clearing[0]), "routingNumber", "is no routing number")
            try check(AccountVerification.isUSAccount(draft.number), "accountNumber", "has the wrong form")
        case .uk:
            let sortCode = AccountVerification.sortCode(draft.clearing[0])
            try check(sortCode != nil, "sortCode", "must have six digits")
            try check(AccountVerification.areDigits(draft.number, 8...8), "accountNumber", "must have eight digits")
            return Account(form: .uk, number: number, clearingCode: sortCode)
        case .ca:
            let (institution, transit) = (draft.clearing[0], draft.clearing[1])
            try check(
                AccountVerification.areDigits(institution, 3...3), "institutionNumber", "must have three digits")
            try check(AccountVerification.areDigits(transit, 5...5), "transitNumber", "must have five digits")
            try check(
                AccountVerification.areDigits(draft.number, 5...12), "accountNumber", "must have 5 to 12 digits")
        case .jp:
            try check(AccountVerification.areDigits(draft.clearing[0], 4...4), "bankCode", "must have four digits")
            try check(AccountVerification.areDigits(draft.clearing[1], 3...3), "branchCode", "must have three digits")
            try check(AccountVerification.areDigits(draft.number, 7...7), "accountNumber", "must have seven digits")
        case .bare:
            guard draft.hasAgent else {
                throw fail(.invalidAccount, "has neither a clearing code nor the agent's BIC", at: draft.node)
            }
            try check(AccountVerification.isBareAccount(draft.number), "accountNumber", "has the wrong form")
            return Account(form: .bare, number: number)
        case .alias:
            guard let type = draft.aliasType, AccountVerification.isAlias(draft.number, type) else {
                let alias = document.member(draft.node, "alias") ?? draft.node
                throw fail(.invalidAccount, "has not the form of its type", at: alias, "value")
            }
        }
        return Account(form: draft.form, number: number, clearingCode: draft.clearing.joined(separator: "-"))
    }
}
