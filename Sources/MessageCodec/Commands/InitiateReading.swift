import CanonicalJSON
import PaymentModel

extension FormReader {
    /// The data of an initiate: first the form of everything, then the accounts.
    func verifiedInitiation(_ kind: PaymentKind) throws(Refused) -> Initiation {
        var creditor: AccountDraft?
        var debtor: AccountDraft?
        var initiation = try initiation(kind, &creditor, &debtor)
        if let creditor {
            let account = try verified(creditor)
            initiation.creditor?.account = account
        }
        if let debtor {
            let account = try verified(debtor)
            initiation.debtor?.account = account
        }
        return initiation
    }

    /// The data by form; the parties' accounts are left to be verified.
    private func initiation(
        _ kind: PaymentKind, _ creditorAccount: inout AccountDraft?, _ debtorAccount: inout AccountDraft?
    ) throws(Refused) -> Initiation {
        let isPayout = kind == .payout
        let amount = try requiredMoney(data, "instructedAmount")
        var initiation = Initiation(kind: kind, instructedAmount: amount)
        initiation.creditor = try party("creditor", isRequired: isPayout, &creditorAccount)
        initiation.debtor = try party("debtor", isRequired: isPayout, &debtorAccount)
        if !isPayout {
            initiation.instrument = try instrument()
            initiation.captureMode = try requiredChoice(
                data, "captureMode", ["automatic": CaptureMode.automatic, "manual": .manual])
            initiation.returnURL = try text(data, "returnUrl", limit: TextLimit.url)
        }
        initiation.endToEndID = try text(data, "endToEndId", limit: TextLimit.identifier)
        initiation.requestedExecutionDate = try day(data, "requestedExecutionDate")
        initiation.deliverBy = try moment(data, "deliverBy")
        initiation.purpose = try text(data, "purpose", limit: TextLimit.code)
        initiation.remittanceInformation =
            try text(data, "remittanceInformation", limit: TextLimit.remittance).map(Personal.init)
        initiation.routing = try routingWishes()
        _ = try object(data, "metadata")
        return initiation
    }

    private func instrument() throws(Refused) -> Instrument {
        enum Kind { case card, openBanking }
        let node = try requiredObject(data, "instrument")
        switch try requiredChoice(node, "type", ["card": Kind.card, "openBanking": .openBanking]) {
        case .card:
            let token = try requiredText(node, "token", limit: TextLimit.token)
            return .card(token: Personal(token), network: try text(node, "network", limit: TextLimit.code))
        case .openBanking: return .openBanking(bank: try requiredText(node, "bank", limit: TextLimit.name))
        }
    }

    private func routingWishes() throws(Refused) -> RoutingWishes {
        var wishes = RoutingWishes()
        guard let node = try object(data, "routing") else { return wishes }
        wishes.objective = try choice(
            node, "objective", ["cost": RoutingWishes.Objective.cost, "speed": .speed, "balance": .balance])
        wishes.maximumCost = try money(node, "maximumCost")
        wishes.rail = try text(node, "rail", limit: TextLimit.name).map { Rail($0) }
        if let partners = document.member(node, "excludePartners") {
            guard document.kind(partners) == .array else { throw fail("must be an array", at: partners) }
            for element in document.elements(partners) {
                guard let name = document.string(element), !name.isEmpty else {
                    throw fail("must be a partner's name", at: element)
                }
                wishes.excludePartners.append(PartnerName(name))
            }
        }
        return wishes
    }
}

// MARK: - Card numbers

extension FormReader {
    /// Throws where a card number stands in clear anywhere but in account fields, `endToEndId` and `operationId`.
    func refuseCardNumbers() throws(Refused) {
        let found = document.firstString(in: data, ofAtLeast: CardNumberDetector.fewestDigits) { text, node in
            CardNumberDetector.isCardNumber(text) && !isAccountField(node)
        }
        if let found { throw fail(.cardNumberInClear, "a card number must not be sent in clear", at: found) }
    }

    private func isAccountField(_ node: JSONNode) -> Bool {
        if document.member(data, "endToEndId") == node || document.member(data, "operationId") == node { return true }
        let fields: [StaticString] = [
            "iban", "accountNumber", "routingNumber", "sortCode", "institutionNumber", "transitNumber", "bankCode",
            "branchCode",
        ]
        for party in ["debtor", "creditor"] as [StaticString] {
            guard let partyNode = document.member(data, party), let account = document.member(partyNode, "account")
            else { continue }
            if fields.contains(where: { document.member(account, $0) == node }) { return true }
            if let alias = document.member(account, "alias"), document.member(alias, "value") == node { return true }
        }
        return false
    }
}
