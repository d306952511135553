import HTTPServer

/// All routes of the daemon's HTTP port, as the OpenAPI document describes them.
public enum OperationsRouter {
    /// The router over these ports. Build it once, before the server starts.
    public static func make(_ ports: OperationsPorts) -> HTTPRouter {
        var router = HTTPRouter()
        router.gate = { [site = ports.site] request in site.refusal(request) }
        HealthAPI(ports: ports).add(to: &router)
        CommandsAPI(ports: ports).add(to: &router)
        PaymentsAPI(ports: ports).add(to: &router)
        RoutesAPI(ports: ports).add(to: &router)
        NotificationsAPI(ports: ports).add(to: &router)
        RecordsAPI(ports: ports).add(to: &router)
        // The page holds no data: it asks the JSON routes, with the token that the operator enters.
        router.add("GET", "/") { _, _, responder in responder.answer(Console.response) }
        return router
    }
}
