"""Pages of lists. Source: the GraphQL Cursor Connections Specification."""

from __future__ import annotations

import strawberry


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """`core.paging.PageInfo`."""

    has_next_page: bool = strawberry.field(description="Whether more follows.")
    end_cursor: str | None = strawberry.field(description="Ask for the next page with it.")
    has_previous_page: bool = strawberry.field(description="Whether the list has something before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first on this page.")
