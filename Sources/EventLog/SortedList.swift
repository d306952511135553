/// Values in order, for the memory log's timers and rows: sorted runs of bounded length, so that an insertion moves
/// a few hundred elements at most.
///
/// Insert, remove and seek cost a binary search and a move within one run.
struct SortedList<Element: Comparable> {
    private static var longestRun: Int { 512 }
    private var runs: [[Element]] = []
    /// How many elements there are.
    private(set) var count = 0

    /// Adds an element; one that is equal is replaced.
    mutating func insert(_ element: Element) {
        guard !runs.isEmpty else {
            runs = [[element]]
            count = 1
            return
        }
        let run = self.run(of: element)
        let place = lowerBound(element, in: runs[run])
        if place < runs[run].count, runs[run][place] == element {
            runs[run][place] = element
            return
        }
        runs[run].insert(element, at: place)
        count += 1
        if runs[run].count > Self.longestRun {
            let half = runs[run].count / 2
            let upper = Array(runs[run][half...])
            runs[run].removeSubrange(half...)
            runs.insert(upper, at: run + 1)
        }
    }

    /// Removes an element, if it is there.
    mutating func remove(_ element: Element) {
        guard !runs.isEmpty else { return }
        let run = self.run(of: element)
        let place = lowerBound(element, in: runs[run])
        guard place < runs[run].count, runs[run][place] == element else { return }
        runs[run].remove(at: place)
        count -= 1
        if runs[run].isEmpty { runs.remove(at: run) }
    }

    /// Hands elements to `body` in order, those behind `after` only (all where it is nil), until it answers false.
    func walk(after: Element?, _ body: (Element) -> Bool) {
        guard !runs.isEmpty else { return }
        var run = 0
        var place = 0
        if let after {
            run = self.run(of: after)
            place = lowerBound(after, in: runs[run])
            if place < runs[run].count, runs[run][place] == after { place += 1 }
        }
        while run < runs.count {
            while place < runs[run].count {
                guard body(runs[run][place]) else { return }
                place += 1
            }
            run += 1
            place = 0
        }
    }

    /// The run that holds the element, or would.
    private func run(of element: Element) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if let first = runs[middle].first, first <= element { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    private func lowerBound(_ element: Element, in run: [Element]) -> Int {
        var low = 0
        var high = run.count
        while low < high {
            let middle = (low + high) / 2
            if run[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
