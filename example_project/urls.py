from __future__ import annotations

from django.urls import include, path

from example_project import views

urlpatterns = [
    path("", views.home, name="home"),
    path("article/", views.article, name="article"),
    path("dashboard/", views.dashboard, name="dashboard"),
    path("fcs/", include("django_fcs.urls")),
    path("<slug:slug>/", views.market, name="market"),
    path("<slug:slug>/plain/", views.plain, name="plain"),
]
