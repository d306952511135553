import CanonicalJSON
import PaymentModel

extension FormReader {
    /// The data of an initiate: first the form of everything, then the accounts.
    func verifiedInitiation(_ kind: PaymentKind) throws(Refused) -> Initiation {
        let isPayout = kind == .payout
        let amount = try requiredMoney(data, "instructedAmount")
        var creditorAccount: AccountDraft?
        var debtorAccount: AccountDraft?
        var creditor = try party("creditor", isRequired: isPayout, &creditorAccount)
        var debtor = try party("debtor", isRequired: isPayout, &debtorAccount)
        let instrument = isPayout ? nil : try instrument()
        let captureMode = isPayout ? nil : try captureMode()
        let returnURL = isPayout ? nil : try text(data, "returnUrl", limit: TextLimit.url)
        let endToEndID = try text(data, "endToEndId", limit: TextLimit.identifier)
        let requestedExecutionDate = try day(data, "requestedExecutionDate")
        let deliverBy = try moment(data, "deliverBy")
        let purpose = try text(data, "purpose", limit: TextLimit.code)
        let remittance = try text(data, "remittanceInformation", limit: TextLimit.remittance)
        let routing = try routingWishes()
        _ = try object(data, "metadata")
        if let draft = creditorAccount {
            let account = try verified(draft)
            creditor?.account = account
        }
        if let draft = debtorAccount {
            let account = try verified(draft)
            debtor?.account = account
        }
        // Made once, at the end: it is large, and a copy costs a count for each of its strings.
        return Initiation(
            kind: kind, instructedAmount: amount, endToEndID: endToEndID, debtor: debtor, creditor: creditor,
            instrument: instrument, captureMode: captureMode, returnURL: returnURL,
            requestedExecutionDate: requestedExecutionDate, deliverBy: deliverBy, purpose: purpose,
            remittanceInformation: remittance.map(Personal.init), routing: routing)
    }

    private func captureMode() throws(Refused) -> CaptureMode {
        try requiredChoice(data, "captureMode", ["automatic": CaptureMode.automatic, "manual": .manual])
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
