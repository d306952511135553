/// Reasons of rejections and returns: codes of ISO 20022 (external code sets, status and return reasons) with their
/// meaning, and whether a payment that is rejected for them may go elsewhere (the contract, section 6).
public enum ReasonTable {
    /// For these the next route may be tried. For good: everything else, unknown codes included.
    private static let elsewhere: Set<String> = ["AM02", "AM13", "AM14", "AB05", "AB06", "AG09", "ED05", "TM01"]

    /// Where a partner gives no reason, or none of the form of ISO 20022: "not specified by the agent".
    public static let unspecified = "MS03"

    /// Whether a payment rejected for this reason may go elsewhere.
    public static func mayGoElsewhere(_ code: String) -> Bool { elsewhere.contains(code) }

    /// What a code means, for people; nil for codes that are not in the table.
    public static func meaning(_ code: String) -> String? { meanings[code] }

    /// Every code of the table.
    public static var codes: [String] { meanings.keys.sorted() }

    /// The code for what a partner gives as reason: itself where it has the form of ISO 20022 (four upper-case letters
    /// or digits), else `unspecified`.
    static func code(_ partnerCode: String?) -> String {
        guard let partnerCode, partnerCode.utf8.count == 4,
            partnerCode.utf8.allSatisfy({
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 &- UInt8(ascii: "0") <= 9
            })
        else { return unspecified }
        return partnerCode
    }

    private static let meanings: [String: String] = {
        var meanings: [String: String] = [:]
        for line in text.split(separator: "\n") {
            meanings[String(line.prefix(4))] = String(line.dropFirst(5))
        }
        return meanings
    }()

    /// Meanings abridged from TransactionAuthorizationProtocol/iso20022-external-code-sets @ a325faf8 (MIT licence,
    /// copyright (c) its authors).
    private static let text = """
        AB05 Transaction stopped due to timeout at the Creditor Agent
        AB06 Transaction stopped due to timeout at the Instructed Agent
        AB07 Agent of message is not online
        AB08 Creditor Agent is not online
        AB09 Transaction stopped due to error at the Creditor Agent
        AB10 Transaction stopped due to error at the Instructed Agent
        AB11 Transaction stopped due to timeout at the Debtor Agent
        AC01 Account number is invalid or missing
        AC02 Debtor account number invalid or missing
        AC03 Creditor account number invalid or missing
        AC04 Account number specified has been closed on the bank of account's books
        AC05 Debtor account number closed
        AC06 Account specified is blocked, prohibiting posting of transactions against it
        AC07 Creditor account number closed
        AC08 Branch code is invalid or missing
        AC09 Account currency is invalid or missing
        AC10 Debtor account currency is invalid or missing
        AC11 Creditor account currency is invalid or missing
        AC12 Account type missing or invalid
        AC13 Debtor account type missing or invalid
        AC14 Creditor account type missing or invalid
        AC15 The account details for the counterparty have changed
        AC16 Credit or debit card number is invalid
        AC17 Account is in liquidation
        AG01 Transaction forbidden on this type of account (formerly NoAgreement)
        AG02 Bank Operation code specified in the message is not valid for receiver
        AG03 Transaction type not supported/authorized on this account
        AG04 Agent country code is missing or invalid
        AG05 Debtor agent country code is missing or invalid
        AG06 Creditor agent country code is missing or invalid
        AG07 Debtor account cannot be debited for a generic reason
        AG08 Transaction failed due to invalid or missing user or access right
        AG09 Original payment never received
        AG10 Agent of message is suspended from the Real Time Payment system
        AG11 Creditor Agent of message is suspended from the Real Time Payment system
        AG12 Payment orders made by transferring funds from one account to another at the same financial …
        AG13 Returned payments derived from previously returned transactions are not allowed
        AM01 Specified message amount is equal to zero
        AM02 Specific transaction/message amount is greater than allowed maximum
        AM03 Specified message amount is an non processable currency outside of existing agreement
        AM04 Amount of funds available to cover specified message amount is insufficient
        AM05 Duplication
        AM06 Specified transaction amount is less than agreed minimum
        AM07 Amount specified in message has been blocked by regulatory authorities
        AM09 Amount received is not the amount agreed or expected
        AM10 Sum of instructed amounts does not equal the control sum
        AM11 Transaction currency is invalid or missing
        AM12 Amount is invalid or missing
        AM13 Transaction amount exceeds limits set by clearing system
        AM14 Transaction amount exceeds limits agreed between bank and client
        AM15 Transaction amount below minimum set by clearing system
        AM16 Control Sum at the Group level is invalid
        AM17 Control Sum at the Payment Information level is invalid
        AM18 Number of transactions is invalid or missing
        AM19 Number of transactions at the Group level is invalid or missing
        AM20 Number of transactions at the Payment Information level is invalid
        AM21 Transaction amount exceeds limits agreed between bank and client
        AM22 Unable to apply zero amount to designated account
        AM23 Transaction amount exceeds settlement limit
        ARDT Already returned original SCT
        BE01 Identification of end customer is not consistent with associated account number
        BE04 Specification of creditor's address, which is required for payment, is missing/not correct …
        BE05 Party who initiated the message is not recognised by the end customer
        BE06 End customer specified is not known at associated Sort/National Bank Code or does no longer …
        BE07 Specification of debtor's address, which is required for payment, is missing/not correct
        BE08 Debtor name is missing
        BE09 Country code is missing or Invalid
        BE10 Debtor country code is missing or invalid
        BE11 Creditor country code is missing or invalid
        BE12 Country code of residence is missing or Invalid
        BE13 Country code of debtor's residence is missing or Invalid
        BE14 Country code of creditor's residence is missing or Invalid
        BE15 Identification code missing or invalid
        BE16 Debtor or Ultimate Debtor identification code missing or invalid
        BE17 Creditor or Ultimate Creditor identification code missing or invalid
        BE18 Contact details missing or invalid
        BE19 Charge bearer code for transaction type is invalid
        BE20 Name length exceeds local rules for payment type
        BE21 Name missing or invalid
        BE22 Creditor name is missing
        BE23 Phone number or email address, or any other proxy, used as the account proxy is unknown or …
        CNOR Creditor bank is not registered under this BIC in the CSM
        CUST Cancellation requested by the Debtor
        DNOR Debtor bank is not registered under this BIC in the CSM
        DUPL Payment or charge is a duplicate of another payment or charge
        ED01 Correspondent bank not possible
        ED03 Balance of payments complementary info is requested
        ED05 Settlement of the transaction has failed
        ED06 Interbank settlement system not available
        FOCR Return following a cancellation request
        FR01 Returned as a result of fraud
        FRAD Cancellation requested following a transaction that was originated fraudulently
        MD01 No Mandate
        MD02 Mandate related information data required by the scheme is missing
        MD05 Creditor or creditor's agent should not have collected the direct debit
        MD06 Return of funds requested by end customer
        MD07 End customer is deceased
        MS02 Reason has not been specified by end customer
        MS03 Reason has not been specified by agent
        NARR Reason is provided as narrative information in the additional reason information
        NOAS No response from Beneficiary
        NOOR Original SCT never received
        RC01 Bank identifier code specified in the message has an incorrect format (formerly …
        RC02 Bank identifier is invalid or missing
        RC03 Debtor bank identifier is invalid or missing
        RC04 Creditor bank identifier is invalid or missing
        RC05 BIC identifier is invalid or missing
        RC06 Debtor BIC identifier is invalid or missing
        RC07 Creditor BIC identifier is invalid or missing
        RC08 ClearingSystemMemberidentifier is invalid or missing
        RC09 Debtor ClearingSystemMember identifier is invalid or missing
        RC10 Creditor ClearingSystemMember identifier is invalid or missing
        RC11 Intermediary Agent is invalid or missing
        RC12 Creditor Scheme Id is invalid or missing
        RC13 Originator not active any more
        RC15 Settlement agreement required
        RC16 Participant blocked from SADC-RTGS
        RR01 Specification of the debtor's account or unique identification needed for reasons of …
        RR02 Specification of the debtor's name and/or address needed for regulatory requirements is …
        RR03 Specification of the creditor's name and/or address needed for regulatory requirements is …
        RR04 Regulatory Reason
        RR05 Regulatory or Central Bank Reporting information missing, incomplete or invalid
        RR06 Tax information missing, incomplete or invalid
        RR07 Remittance information structure does not comply with rules for payment type
        RR08 Remittance information truncated to comply with rules for payment type
        RR09 Structured creditor reference invalid or missing
        RR10 Character set supplied not valid for the country and payment type
        RR11 Invalid or missing identification of a bank proprietary service
        RR12 Invalid or missing identification required within a particular country or payment type
        SL01 Due to specific service offered by the Debtor Agent
        SL02 Due to specific service offered by the Creditor Agent
        SL03 Due to a specific service offered by the clearing system
        SL11 Whitelisting service offered by the Debtor Agent; Debtor has not included the Creditor on its …
        SL12 Blacklisting service offered by the Debtor Agent; Debtor included the Creditor on his …
        SL13 Due to Maximum allowed Direct Debit Transactions per period service offered by the Debtor Agent
        SL14 Due to Maximum allowed Direct Debit Transaction amount service offered by the Debtor Agent
        SL15 Maximum number of credit transactions allowed by the account servicer per service period …
        SL16 Maximum total credit amount allowed by the account servicer per service period exceeded
        SL17 Whitelisting service offered by payment system operator or financial institution
        SL18 Blacklisting service offered by payment system operator or financial institution
        TM01 Associated message, payment information block, or transaction was received after agreed …
        UPAY Payment is not justified
        """
}
