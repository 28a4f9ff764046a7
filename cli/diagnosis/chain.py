"""Where the chain from a StaticSite to its visitors is broken: facts in, one verdict for each link out."""

from cli.diagnosis import responses, site_checks, tls, virtual_hosts
from cli.diagnosis.facts import Facts
from cli.diagnosis.verdicts import Verdict


def judge(facts: Facts) -> list[Verdict]:
    """All links, in the order in which a change passes them. To add a link, add it here."""
    links = (
        site_checks.static_site,
        site_checks.syncer,
        site_checks.git,
        site_checks.release,
        virtual_hosts.virtual_host,
        virtual_hosts.ingress_route,
        tls.certificate,
        responses.request,
    )
    return [link(facts) for link in links]
