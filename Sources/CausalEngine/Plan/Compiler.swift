internal import CausalKernels

extension Plan {
    /// Compiles a network.
    ///
    /// - Throws: what `Network.validate` finds.
    package init(_ network: Network, _ layout: ParameterLayout) throws(EngineError) {
        try network.validate()
        var compiler = Compiler(network, layout)
        for node in network.nodes.indices { compiler.compile(node) }
        self = compiler.plan(ColumnNetwork(network, layout))
    }
}

private struct Compiler {
    let network: Network
    /// Where each tensor starts in the parameters, and its number.
    let tensors: [String: (offset: Int, number: Int)]
    /// How many nodes read a node, the caller included where it is the output.
    var readers: [Int]
    /// The buffer of each node.
    var place: [Int]

    var steps: [Plan.Step] = []
    var buffers: [Plan.Buffer] = []
    /// Buffers whose values the backward pass reads to find a derivative.
    var holdsActivation: Set<Int> = []
    var edges: [Edges] = []
    var siteWidths: [Int] = []
    /// The number of the site that a node is.
    var siteNumbers: [Network.Node: Int] = [:]
    var sitesOnInput: Set<Int> = []
    var widestCut = 0

    init(_ network: Network, _ layout: ParameterLayout) {
        self.network = network
        tensors = Dictionary(uniqueKeysWithValues: layout.tensors.enumerated().map { ($1.name, ($1.offset, $0)) })
        readers = [Int](repeating: 0, count: network.nodes.count)
        place = [Int](repeating: -1, count: network.nodes.count)
        for node in network.nodes.indices {
            for source in network.sources(of: node) { readers[source] += 1 }
        }
        readers[network.output] += 1
    }

    mutating func compile(_ node: Network.Node) {
        let description = network.nodes[node]
        switch description.operation {
        case .input:
            place[node] = newBuffer(description.width)
            steps.append(.load)
        case .linear(let from, let hasBias, let edges):
            place[node] = newBuffer(description.width)
            if let edges { self.edges.append(edges) }
            let weight = tensors["\(description.name).weight"]!
            steps.append(.dense(Plan.Dense(
                from: place[from], to: place[node], inputs: network.nodes[from].width, outputs: description.width,
                weight: weight.offset, bias: hasBias ? tensors["\(description.name).bias"]!.offset : -1, tensor: weight.number,
                activation: .identity, edges: edges == nil ? -1 : self.edges.count - 1)))
        case .bias(let from):
            // The values under a bias are lost, so nobody else may need them.
            place[node] = readers[from] == 1 && !holdsActivation.contains(place[from]) ? place[from] : copied(from)
            let bias = tensors["\(description.name).bias"]!
            steps.append(.bias(buffer: place[node], offset: bias.offset, tensor: bias.number))
        case .activation(let activation, let from):
            compile(activation, from, node)
        case .site(let from):
            compileSite(from, node, cuts: false)
        case .cut(let from):
            compileSite(from, node, cuts: true)
            widestCut = max(widestCut, description.width)
        case .again(let site, let from):
            let number = siteNumbers[site]!
            place[node] = readers[from] == 1 ? place[from] : copied(from)
            if place[node] != 0 { sitesOnInput.remove(number) }
            steps.append(.intervene(site: number, buffer: place[node], cuts: false))
        case .concatenate(let parts):
            place[node] = newBuffer(description.width)
            var column = 0
            for part in parts {
                let width = network.nodes[part].width
                steps.append(.copy(Plan.Copy(from: place[part], fromColumn: 0, to: place[node], toColumn: column, width: width, adds: false)))
                column += width
            }
        case .sum(let parts):
            place[node] = newBuffer(description.width)
            for (k, part) in parts.enumerated() {
                steps.append(.copy(Plan.Copy(from: place[part], fromColumn: 0, to: place[node], toColumn: 0, width: description.width, adds: k > 0)))
            }
        case .columns(let from, let first):
            place[node] = newBuffer(description.width)
            steps.append(.copy(Plan.Copy(from: place[from], fromColumn: first, to: place[node], toColumn: 0, width: description.width, adds: false)))
        }
    }

    private mutating func compile(_ activation: Activation, _ from: Network.Node, _ node: Network.Node) {
        let isOnlyReader = readers[from] == 1
        if activation == .identity {
            place[node] = isOnlyReader ? place[from] : copied(from)
        } else if isOnlyReader, !activation.needsInputForGradient, !holdsActivation.contains(place[from]) {
            place[node] = place[from]
            if case .dense(var dense) = steps.last, dense.to == place[from] {
                dense.activation = activation
                steps[steps.count - 1] = .dense(dense)
            } else {
                steps.append(.activate(activation, from: place[from], to: place[node]))
            }
            holdsActivation.insert(place[node])
        } else {
            place[node] = newBuffer(network.nodes[node].width)
            steps.append(.activate(activation, from: place[from], to: place[node]))
            // The derivative is found from one of the two.
            holdsActivation.insert(activation.needsInputForGradient ? place[from] : place[node])
        }
    }

    private mutating func compileSite(_ from: Network.Node, _ node: Network.Node, cuts: Bool) {
        // In place even on an activation: where the value is replaced, no gradient asks for the derivative.
        place[node] = readers[from] == 1 ? place[from] : copied(from)
        if place[node] == 0 { sitesOnInput.insert(siteWidths.count) }
        steps.append(.intervene(site: siteWidths.count, buffer: place[node], cuts: cuts))
        siteNumbers[node] = siteWidths.count
        siteWidths.append(network.nodes[node].width)
    }

    private mutating func newBuffer(_ width: Int) -> Int {
        buffers.append(Plan.Buffer(width: width, start: buffers.last.map { $0.start + $0.width } ?? 0))
        return buffers.count - 1
    }

    private mutating func copied(_ from: Network.Node) -> Int {
        let width = network.nodes[from].width
        let buffer = newBuffer(width)
        steps.append(.copy(Plan.Copy(from: place[from], fromColumn: 0, to: buffer, toColumn: 0, width: width, adds: false)))
        return buffer
    }

    func plan(_ columns: ColumnNetwork?) -> Plan {
        var buffers = buffers
        let output = place[network.output]
        var writers = [Int](repeating: 0, count: buffers.count)
        writers[output] += 1
        var hasBiasOnInput = false
        for step in steps {
            switch step {
            case .dense(let dense): writers[dense.from] += 1
            case .activate(_, let from, let to): writers[from] += from == to ? 0 : 1
            case .copy(let copy): writers[copy.from] += copy.width == buffers[copy.from].width ? 1 : 2
            case .bias(let buffer, _, _): hasBiasOnInput = hasBiasOnInput || buffer == 0
            case .load, .intervene: break
            }
        }
        for b in buffers.indices { buffers[b].hasOneWriter = writers[b] == 1 }
        var maskedWeights: [Int] = []
        var maskedWeightCount = 0
        for edges in edges {
            maskedWeights.append(maskedWeightCount)
            maskedWeightCount += edges.isThere.count
        }
        return Plan(steps: steps, buffers: buffers, edges: edges, maskedWeights: maskedWeights, maskedWeightCount: maskedWeightCount,
                    output: output, unitsPerRow: buffers.last.map { $0.start + $0.width } ?? 0, siteWidths: siteWidths,
                    outputSite: network.sites.firstIndex(of: network.output), sitesOnInput: sitesOnInput, hasBiasOnInput: hasBiasOnInput, widestCut: widestCut,
                    columns: columns)
    }
}
